import { grown, widened } from "./hash-index.ts";

const PAGE_BITS = 20;
const PAGE_BYTES = 1 << PAGE_BITS;
const MOST_PAGES = 2 ** (32 - PAGE_BITS);
const PLACE_MASK = PAGE_BYTES - 1;

/**
 * Byte strings and texts, each addressed by a number, in pages that are never copied and that the garbage collector does not
 * scan. A string costs 8 bytes more than its length; as a JavaScript object it would cost 200. Number 0 means none.
 */
export class ByteArena {
  readonly #pages: Uint8Array[] = [];
  /** The same pages as Buffers, for copy texts. */
  readonly #texts: Buffer[] = [];
  #page = -1;
  #used = PAGE_BYTES;
  /** Page and offset of each number. */
  #place = new Uint32Array(64);
  #length = new Uint32Array(64);
  #top = 1;
  /** Free numbers by length: a string of the same length reuses one. */
  readonly #free = new Map<number, number[]>();

  /** Stores a copy of the bytes; returns its number. */
  hold(bytes: Uint8Array | undefined, start = 0, length = (bytes?.length ?? 0) - start): number {
    if (!bytes) return 0;
    const id = this.#free.get(length)?.pop() ?? this.#take(length);
    const page = this.pageOf(id);
    const at = this.at(id);
    for (let n = 0; n < length; n++) page[at + n] = bytes[start + n]!;
    return id;
  }

  holdText(text: string | undefined): number {
    return text === undefined ? 0 : this.hold(Buffer.from(text));
  }

  release(id: number): void {
    if (id === 0) return;
    const length = this.#length[id]!;
    const free = this.#free.get(length);
    if (free) free.push(id);
    else this.#free.set(length, [id]);
  }

  /** A copy of the bytes. */
  bytes(id: number): Uint8Array | undefined {
    if (id === 0) return undefined;
    const page = this.pageOf(id);
    const at = this.at(id);
    const copy = new Uint8Array(this.#length[id]!);
    for (let n = 0; n < copy.length; n++) copy[n] = page[at + n]!; // the strings are short: `slice` takes longer
    return copy;
  }

  /** The bytes as UTF-8 text. */
  text(id: number): string | undefined {
    if (id === 0) return undefined;
    return this.#texts[this.#place[id]! >>> PAGE_BITS]!.toString("utf8", this.at(id), this.at(id) + this.#length[id]!);
  }

  is(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#length[id] !== length) return false;
    const page = this.pageOf(id);
    const at = this.at(id);
    for (let n = 0; n < length; n++) if (page[at + n] !== bytes[start + n]) return false;
    return true;
  }

  /** Hash of a DNS label: upper and lower case of ASCII hash alike (RFC 4343 §3). */
  nameHash(id: number): number {
    return hashOfName(this.pageOf(id), this.at(id), this.#length[id]);
  }

  /** Reserves room for this many strings. */
  reserve(count: number): void {
    if (count <= this.#place.length) return;
    this.#place = widened(this.#place, count);
    this.#length = widened(this.#length, count);
  }

  protected pageOf(id: number): Uint8Array {
    return this.#pages[this.#place[id]! >>> PAGE_BITS]!;
  }

  protected at(id: number): number {
    return this.#place[id]! & PLACE_MASK;
  }

  /** A new number with room for this many bytes. A string longer than a page gets a page of its own. */
  #take(length: number): number {
    const id = this.#top++;
    if (id >= this.#place.length) {
      this.#place = grown(this.#place, id);
      this.#length = grown(this.#length, id);
    }
    if (length > PAGE_BYTES) {
      this.#place[id] = this.#open(length) << PAGE_BITS;
    } else {
      if (this.#used + length >= PAGE_BYTES) {
        this.#page = this.#open(PAGE_BYTES);
        this.#used = 0;
      }
      this.#place[id] = (this.#page << PAGE_BITS) | this.#used;
      this.#used += length;
    }
    this.#length[id] = length;
    return id;
  }

  #open(bytes: number): number {
    if (this.#pages.length === MOST_PAGES) throw new Error("more than 4 GiB of names and client ids");
    const page = new Uint8Array(bytes);
    this.#texts.push(Buffer.from(page.buffer));
    return this.#pages.push(page) - 1;
  }
}

/** FNV-1a of the bytes, with `A` to `Z` read as `a` to `z`. */
export function hashOfName(bytes: Uint8Array, start = 0, length = bytes.length): number {
  let hash = 0x811c_9dc5;
  for (let n = start; n < start + length; n++) {
    const byte = bytes[n]!;
    hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), 0x0100_0193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}
