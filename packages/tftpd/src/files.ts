import { constants, type Stats } from "node:fs";
import { type FileHandle, open, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { type BootFile, fileOf, filled, inMemory } from "./file.ts";
import type { FileRefusal } from "./refusal.ts";

export interface CacheLimits {
  /** Largest file kept. */
  readonly fileBytes: number;
  readonly totalBytes: number;
}

interface Kept {
  readonly stamp: string;
  readonly bytes: number;
  /** The read that is running: later requests for the file wait for it. */
  readonly content: Promise<Uint8Array>;
}

/** Two changes within one tick of the file system's clock have the same timestamp: a file that young is not kept. */
const SETTLED_MS = 2000;
/** O_NONBLOCK: opening a pipe must not wait for a writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The folder that is served and nothing outside it; small files are kept in memory until they change on disk. */
export class Files {
  readonly #root: string;
  readonly #limits: CacheLimits;
  readonly #wallClock: () => number;
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;

  constructor(root: string, limits: CacheLimits, wallClock: () => number) {
    this.#root = root;
    this.#limits = limits;
    this.#wallClock = wallClock;
  }

  /** Bytes in memory, for the metrics. */
  get cachedBytes(): number {
    return this.#keptBytes;
  }

  /** `path` is below the root, as `normalise` gives it. Links are followed as long as they stay inside. */
  async open(path: string): Promise<BootFile | FileRefusal> {
    try {
      const root = await realpath(this.#root);
      const real = await realpath(join(root, path));
      if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return "file-leaves-root";
      const kept = this.#find(real, await stat(real));
      return kept === undefined ? await this.#load(real) : inMemory(await kept);
    } catch (fault) {
      return MEANING[(fault as NodeJS.ErrnoException).code ?? ""] ?? "file-cannot-be-read";
    }
  }

  #find(real: string, stats: Stats): Promise<Uint8Array> | undefined {
    const kept = this.#kept.get(real);
    if (kept === undefined) return undefined;
    this.#forget(real);
    if (kept.stamp !== stampOf(stats)) return undefined;
    this.#keep(real, kept); // again, as the most recently used
    return kept.content;
  }

  async #load(real: string): Promise<BootFile | FileRefusal> {
    const handle = await open(real, FLAGS);
    let isSent = false;
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return "not-a-regular-file";
      isSent = !this.#isWorthKeeping(stats);
      if (isSent) return fileOf(handle, stats.size); // closed by whoever sends it
      return inMemory(await (this.#find(real, stats) ?? this.#read(real, handle, stats)));
    } finally {
      if (!isSent) await handle.close();
    }
  }

  #isWorthKeeping({ size, mtimeMs }: Stats): boolean {
    const { fileBytes, totalBytes } = this.#limits;
    return size <= Math.min(fileBytes, totalBytes) && this.#wallClock() - mtimeMs > SETTLED_MS;
  }

  #read(real: string, handle: FileHandle, stats: Stats): Promise<Uint8Array> {
    const content = contentOf(handle, stats.size);
    const kept = { stamp: stampOf(stats), bytes: stats.size, content };
    this.#keep(real, kept);
    content.catch(() => this.#kept.get(real) === kept && this.#forget(real));
    return content;
  }

  #keep(real: string, kept: Kept): void {
    this.#kept.set(real, kept);
    this.#keptBytes += kept.bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.#limits.totalBytes) break;
      this.#forget(oldest);
    }
  }

  #forget(real: string): void {
    this.#keptBytes -= this.#kept.get(real)?.bytes ?? 0;
    this.#kept.delete(real);
  }
}

const MEANING: Readonly<Record<string, FileRefusal>> = {
  ENOENT: "no-such-file",
  ENOTDIR: "no-such-file",
  EISDIR: "not-a-regular-file",
  ENXIO: "not-a-regular-file",
  EMFILE: "open-files-limit",
  ENFILE: "open-files-limit",
  ELOOP: "file-leaves-root", // became a link after it was looked at
};

/** Whether it is another file, or the same one written again: ctime changes even if mtime is set back. */
function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

async function contentOf(handle: FileHandle, bytes: number): Promise<Uint8Array> {
  const content = new Uint8Array(new SharedArrayBuffer(bytes)); // the worker's thread reads it too
  if ((await filled(handle, content, 0)) !== bytes) throw new Error("file became shorter as it was read");
  return content;
}
