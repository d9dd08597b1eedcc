import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The port on loopback where every contender listens; only one runs at a time. */
export const PORT = 69; // dnsmasq serves TFTP on no other port
export const FILE = "loader.efi";
/** About the size of GRUB with its modules. */
export const FILE_BYTES = 4 << 20;

/** Pseudo-random bytes, the same for every run; no two blocks are equal. */
export const content: Uint8Array = bytes(FILE_BYTES);

export function writeContent(folder: string): void {
  writeFileSync(join(folder, FILE), content, { mode: 0o644 });
}

function bytes(length: number): Uint8Array {
  const words = new Uint32Array(length / 4);
  for (let i = 0, state = 1; i < words.length; i++)
    words[i] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer);
}
