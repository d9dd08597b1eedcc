import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const KIB = 1024;

/** The artefacts' sizes in bytes. iPXE has the size of a real build. */
const IMAGES: Readonly<Record<string, number>> = {
  "ipxe/undionly.kpxe": 70 * KIB,
  "ipxe/snponly.efi": 180 * KIB,
  "ipxe/snponly-arm64.efi": 180 * KIB,
  ...Object.fromEntries(
    ["discovery", "cleanup", "dpu"].flatMap((image) =>
      ["x86_64", "i386", "arm64"].flatMap((arch) =>
        ["vmlinuz", "initrd"].map((file) => [`${image}/${arch}/${file}`, KIB]),
      ),
    ),
  ),
};

/** Writes the artefacts. */
export function writeImages(folder: string): void {
  for (const [path, bytes] of Object.entries(IMAGES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), new Uint8Array(bytes).fill(0x46));
  }
}
