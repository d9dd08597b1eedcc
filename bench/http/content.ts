import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const PORT = 7884;

/** The files that are fetched, by variant, and over how many connections. */
export const FILES: Readonly<Record<string, { readonly bytes: number; readonly connections: number }>> = {
  script: { bytes: 2 << 10, connections: 16 },
  image: { bytes: 64 << 20, connections: 4 },
};

export const urlOf = (variant: string): string => `http://127.0.0.1:${PORT}/artefacts/${variant}.img`;

/** Writes `artefacts/VARIANT.img` for each variant. Returns the folder `artefacts`. */
export function writeContent(folder: string): string {
  const root = join(folder, "artefacts");
  mkdirSync(root, { mode: 0o755 });
  for (const [variant, { bytes }] of Object.entries(FILES)) {
    writeFileSync(join(root, `${variant}.img`), Buffer.alloc(bytes, "firstlight "), { mode: 0o644 });
  }
  return root;
}
