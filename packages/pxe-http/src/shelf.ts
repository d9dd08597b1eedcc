import { type Stats } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import type { OutgoingHttpHeaders } from "node:http";
import { join } from "node:path";

type Answered = Readonly<Record<string, number | string | string[] | undefined>>;

/** An artefact in memory, with the headers that it was answered with. */
export interface Shelved {
  readonly content: Buffer;
  readonly headers: OutgoingHttpHeaders;
}

interface Kept extends Shelved {
  readonly real: string;
  readonly stamp: string;
  checkedAt: number;
  /** Under way: whoever else asks waits for the same look. */
  checking: Promise<Shelved | undefined> | undefined;
}

/** For so long after a look at the disk an artefact is taken for unchanged. */
const FRESH_MS = 500;
/** A file changed twice within a tick of the file system's clock has the same stamp: so young a file is not kept. */
const SETTLED_MS = 2000;
/** What of a first answer holds for all of them. */
const HEADERS = ["content-type", "content-length", "cache-control", "accept-ranges", "etag", "last-modified"];

/**
 * What machines have fetched lately, in memory, bounded, until it changes on disk: a rack that boots at once asks for the
 * same few files. It learns from whole answers, so it need not know how they are made.
 */
export class Shelf {
  readonly #root: string;
  readonly #mostBytes: number;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #isLearning = false;

  /** `now`: monotonic milliseconds. */
  constructor(root: string, mostBytes: number, now: () => number) {
    this.#root = root;
    this.#mostBytes = mostBytes;
    this.#now = now;
  }

  /** The artefact, if it is here and still the one on disk; a promise where the disk has to be looked at. */
  find(path: string): Shelved | undefined | Promise<Shelved | undefined> {
    const kept = this.#kept.get(path);
    if (kept === undefined) return undefined;
    if (this.#now() - kept.checkedAt < FRESH_MS) return kept;
    return (kept.checking ??= this.#check(path, kept));
  }

  /** After a whole answer with these headers: reads the file once more, one at a time, when half the shelf holds it. */
  async learn(path: string, answered: Answered): Promise<void> {
    const bytes = Number(answered["content-length"]);
    if (this.#isLearning || this.#kept.has(path) || !(bytes <= this.#mostBytes / 2)) return;
    this.#isLearning = true;
    try {
      const kept = await this.#read(path, bytes, String(answered["last-modified"]));
      if (kept) this.#keep(path, { ...kept, headers: this.#headersOf(answered) });
    } catch {
      // gone or unreadable: whoever asks next learns it from the disk
    } finally {
      this.#isLearning = false;
    }
  }

  #headersOf(answered: Answered): OutgoingHttpHeaders {
    return Object.fromEntries(HEADERS.flatMap((name) => (name in answered ? [[name, answered[name]!]] : [])));
  }

  async #read(path: string, bytes: number, lastModified: string) {
    const real = await realpath(join(this.#root, path));
    await using file = await open(real);
    const before = await file.stat();
    const isSettled = Date.now() - before.mtimeMs > SETTLED_MS;
    if (!isSettled || before.size !== bytes || before.mtime.toUTCString() !== lastModified) return undefined;
    const content = Buffer.allocUnsafeSlow(bytes);
    const { bytesRead } = await file.read(content, 0, bytes, 0);
    const stamp = stampOf(await file.stat());
    if (bytesRead !== bytes || stamp !== stampOf(before)) return undefined;
    return { content, real, stamp, checkedAt: Number.NEGATIVE_INFINITY, checking: undefined };
  }

  async #check(path: string, kept: Kept): Promise<Shelved | undefined> {
    const at = this.#now();
    const isSame = await this.#isSame(path, kept);
    kept.checking = undefined;
    if (!isSame) return this.#forget(path, kept);
    kept.checkedAt = at;
    this.#kept.delete(path);
    this.#kept.set(path, kept); // as the most recently used
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

const MOST_FILES = 1024;

/** Another file, or the same one written again: ctime moves even where mtime is set back. */
function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
