import type { Case } from "./case.ts";

const BYTES = Uint8Array.from({ length: 300 }, (_, n) => (n * 37) & 255);

/**
 * A loop that measures the speed of this machine. No change of our code affects it, and it does what our hot paths do: it reads and
 * writes bytes, and makes small objects and a map. Every figure is divided by it, so that the machine's speed cancels out.
 */
export const calibration: Case = {
  name: "calibration",
  async open() {
    const out = new Uint8Array(BYTES.length);
    let sum = 0;
    return {
      run(times) {
        for (let n = 0; n < times; n++) sum = (sum + once(n, out)) | 0;
        if (sum === 0.5) throw new Error("unreachable: the compiler must keep the sum");
      },
    };
  },
};

function once(seed: number, out: Uint8Array): number {
  const options = new Map<number, Uint8Array>();
  let hash = 0x811c_9dc5 ^ seed;
  for (let at = 0; at < BYTES.length; at++) {
    hash = Math.imul(hash ^ BYTES[at]!, 0x0100_0193);
    out[at] = hash;
    if (at % 30 === 0) options.set(out[at]!, out.subarray(at, at + 8));
  }
  const found = [...options].map(([code, bytes]) => ({ code, length: bytes.length }));
  return found.reduce((sum, { code, length }) => sum + code * length, hash);
}
