import { constants, type Stats } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import type { OutgoingHttpHeaders } from "node:http";
import { join, relative, sep } from "node:path";
import { contentTypeOf } from "./artefact.ts";

/** An artefact in memory, with the headers that the HTTP server would answer it with. */
export interface CachedArtefact {
  readonly content: Buffer;
  readonly headers: OutgoingHttpHeaders;
}

interface Kept extends CachedArtefact {
  readonly real: string;
  readonly stamp: string;
  checkedAt: number;
  /** The check of the disk under way, shared by all requests. */
  checking: Promise<CachedArtefact | undefined> | undefined;
}

/** How long an artefact counts as unchanged after a check of the disk. */
const FRESH_MS = 500;
/** Two changes within one tick of the file system's clock have the same timestamp: a file that young is not kept. */
const SETTLED_MS = 2000;
/** Up to this size a file is read before its first answer, so many at a time; a larger one after it. */
const SMALL_BYTES = 64 * 1024;
const MOST_LOADING = 64;
const MOST_FILES = 1024;
/** Never a link that took the file's place, nor a wait for a pipe's writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Recently fetched artefacts in bounded memory, until they change on disk: the machines of a rack fetch the same few files.
 */
export class ArtefactCache {
  readonly #root: string;
  readonly #mostBytes: number;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  readonly #loading = new Map<string, Promise<CachedArtefact | undefined>>();
  #bytes = 0;
  #isLearning = false;

  /** `now`: monotonic milliseconds. */
  constructor(root: string, mostBytes: number, now: () => number) {
    this.#root = root;
    this.#mostBytes = mostBytes;
    this.#now = now;
  }

  /** The artefact, if it is cached and unchanged on disk; a promise if the disk must be checked. */
  find(path: string): CachedArtefact | undefined | Promise<CachedArtefact | undefined> {
    const kept = this.#kept.get(path);
    if (kept === undefined) return undefined;
    if (this.#now() - kept.checkedAt < FRESH_MS) return kept;
    return (kept.checking ??= this.#check(path, kept));
  }

  /** Reads a small artefact from disk, once for all requests that wait for it. `path` is the name of an artefact. */
  load(path: string): Promise<CachedArtefact | undefined> {
    const loading = this.#loading.get(path);
    if (loading !== undefined) return loading;
    if (this.#loading.size >= MOST_LOADING) return Promise.resolve(undefined);
    const taken = this.#take(path, SMALL_BYTES).finally(() => this.#loading.delete(path));
    this.#loading.set(path, taken);
    return taken;
  }

  /** After a whole answer: reads the file again, one at a time, if it fits into half the cache. */
  async learn(path: string): Promise<void> {
    if (this.#isLearning || this.#kept.has(path)) return;
    this.#isLearning = true;
    await this.#take(path, Number.POSITIVE_INFINITY);
    this.#isLearning = false;
  }

  async #take(path: string, mostBytes: number): Promise<CachedArtefact | undefined> {
    try {
      const kept = await this.#read(path, Math.min(mostBytes, this.#mostBytes / 2));
      if (kept) this.#keep(path, kept);
      return kept;
    } catch {
      return undefined; // deleted or unreadable: the next request reads from disk
    }
  }

  async #read(path: string, mostBytes: number): Promise<Kept | undefined> {
    const checkedAt = this.#now();
    const real = await realpath(join(this.#root, path));
    if (relative(await realpath(this.#root), real).split(sep)[0] === "..") return undefined;
    const seen = await stat(real);
    if (!seen.isFile() || seen.size > mostBytes || Date.now() - seen.mtimeMs <= SETTLED_MS) return undefined;
    await using file = await open(real, FLAGS);
    const content = Buffer.allocUnsafeSlow(seen.size);
    const { bytesRead } = await file.read(content, 0, seen.size, 0);
    const stamp = stampOf(await file.stat());
    if (bytesRead !== seen.size || stamp !== stampOf(seen)) return undefined;
    return { content, headers: headersOf(path, seen), real, stamp, checkedAt, checking: undefined };
  }

  async #check(path: string, kept: Kept): Promise<CachedArtefact | undefined> {
    const at = this.#now();
    const isSame = await this.#isSame(path, kept);
    kept.checking = undefined;
    if (!isSame) return this.#forget(path, kept);
    kept.checkedAt = at;
    if (this.#kept.delete(path)) this.#kept.set(path, kept); // as the most recently used
    return kept;
  }

  async #isSame(path: string, { real, stamp }: Kept): Promise<boolean> {
    try {
      return (await realpath(join(this.#root, path))) === real && stampOf(await stat(real)) === stamp;
    } catch {
      return false;
    }
  }

  #keep(path: string, kept: Kept): void {
    const before = this.#kept.get(path);
    if (before) this.#forget(path, before);
    this.#kept.set(path, kept);
    this.#bytes += kept.content.length;
    for (const [oldest, of] of this.#kept) {
      if (this.#bytes <= this.#mostBytes && this.#kept.size <= MOST_FILES) break;
      this.#forget(oldest, of);
    }
  }

  #forget(path: string, kept: Kept): undefined {
    if (this.#kept.get(path) !== kept) return;
    this.#kept.delete(path);
    this.#bytes -= kept.content.length;
  }
}

/** As @fastify/static writes them, and `artefact-route.ts` above it: a test holds the two together. */
function headersOf(path: string, { size, mtime }: Stats): OutgoingHttpHeaders {
  return {
    "cache-control": "no-cache",
    "accept-ranges": "bytes",
    "last-modified": mtime.toUTCString(),
    etag: `W/"${size.toString(16)}-${mtime.getTime().toString(16)}"`,
    "content-type": contentTypeOf(path),
    "content-length": size,
  };
}

/** Whether it is another file, or the same one written again: ctime changes even if mtime is set back. */
function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
