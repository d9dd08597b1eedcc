/**
 * Whether a path below `/artefacts/` can name an artefact: plain segments, none hidden. What could leave the folder, or
 * mean different things to a URL and a file system, never reaches the disk.
 */
export function isArtefactName(path: string): boolean {
  return path.length <= 255 && /^(?!\.)[\w.+@=~-]+(?:\/(?!\.)[\w.+@=~-]+)*$/.test(path);
}

/** Boot loaders need no lease, as over TFTP: they hold no secret, and firmware that comes too early does not ask again. */
export function isBootLoader(path: string): boolean {
  return path.startsWith("ipxe/") && isArtefactName(path);
}

/** Types that UEFI HTTP Boot tells its files apart by (UEFI 2.10 §24.7.3.1); all else is bytes. */
export function contentTypeOf(path: string): string {
  return TYPES[/\.(\w+)$/.exec(path)?.[1] ?? ""] ?? "application/octet-stream";
}

const TYPES: Readonly<Record<string, string>> = {
  efi: "application/efi",
  iso: "application/vnd.efi-iso",
  img: "application/vnd.efi-img",
  ipxe: "text/plain; charset=utf-8",
};

const MOST_CHUNK_BYTES = 1 << 20;
const LEAST_CHUNK_BYTES = 1 << 16;
const BUFFER_BYTES = 128 << 20;

/** How much one transfer reads at a time: large reads halve the cost, and a rack that boots at once must fit in memory. */
export function chunkBytes(transfers: number): number {
  const share = 2 ** Math.floor(Math.log2(BUFFER_BYTES / Math.max(1, transfers)));
  return Math.min(MOST_CHUNK_BYTES, Math.max(LEAST_CHUNK_BYTES, share));
}
