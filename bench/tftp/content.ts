import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where every contender listens, on loopback: one runs at a time. */
export const PORT = 69; // dnsmasq knows no other
export const FILE = "loader.efi";
/** Of a GRUB with its modules, about. */
export const FILE_BYTES = 4 << 20;

/** Bytes of which no two blocks are alike, the same for every run. */
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
