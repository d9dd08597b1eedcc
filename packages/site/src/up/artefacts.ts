import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const KIB = 1024;

/** What the simulated rack downloads, by path below the artefacts' folder, and about how large each is. */
const DEMONSTRATION: Readonly<Record<string, number>> = {
  "ipxe/undionly.kpxe": 70 * KIB,
  "ipxe/snponly.efi": 180 * KIB,
  "ipxe/snponly-arm64.efi": 180 * KIB,
  ...Object.fromEntries(
    ["discovery", "cleanup", "dpu"].flatMap((image) =>
      ["x86_64", "i386", "arm64"].flatMap((arch) => [
        [`${image}/${arch}/vmlinuz`, 256 * KIB],
        [`${image}/${arch}/initrd`, 512 * KIB],
      ]),
    ),
  ),
};

/**
 * Writes the embedded site's demonstration artefacts where there are none: files of a realistic size that say what they are. Real
 * machines cannot boot them. Put real kernels and iPXE builds in their place; existing files are never overwritten.
 */
export function writeArtefacts(dir: string): number {
  let written = 0;
  for (const [path, bytes] of Object.entries(DEMONSTRATION)) {
    const file = join(dir, path);
    if (existsSync(file)) continue;
    mkdirSync(dirname(file), { recursive: true });
    const label = `Firstlight demonstration artefact ${path}: not bootable, for the simulated rack only.\n`;
    writeFileSync(file, label.repeat(Math.ceil(bytes / label.length)).slice(0, bytes));
    written += 1;
  }
  return written;
}
