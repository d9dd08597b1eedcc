import { HEADER_BYTES, writeDataHeader } from "@firstlight/wire/tftp";
import { start, step } from "../../packages/tftpd/src/transfer.ts";
import type { Case } from "./case.ts";

const BLOCK_BYTES = 1468;
/** Small enough to stay in the processor's own cache: whoever shares memory with us is not what is timed. */
const FILE_BYTES = 128 << 10;
const AGREED = { blockBytes: BLOCK_BYTES, windowBlocks: 16, options: new Map() };

/** One acknowledgement of a window of sixteen: the step, and the sixteen blocks laid out for sending. No socket. */
export const window: Case = {
  name: "tftp acknowledgement to window",
  async open() {
    const file = new Uint8Array(FILE_BYTES);
    const out = new Uint8Array(HEADER_BYTES + BLOCK_BYTES);
    let [transfer] = start(FILE_BYTES, 0, AGREED);
    return {
      run(times) {
        for (let n = 0; n < times; n++) {
          const [next, effects] = step(transfer, { is: "ack", block: transfer.sent & 0xffff }, n);
          [transfer] = next.acked === next.last ? start(FILE_BYTES, n, AGREED) : [next];
          for (const effect of effects) {
            if (effect.do !== "send") continue;
            for (let block = effect.from; block < effect.from + effect.count; block++) {
              writeDataHeader(out, block);
              out.set(file.subarray((block - 1) * BLOCK_BYTES, block * BLOCK_BYTES), HEADER_BYTES);
            }
          }
        }
      },
    };
  },
};
