import { grown, widened } from "./chains.ts";

const PAGE_BITS = 20;
const PAGE_BYTES = 1 << PAGE_BITS;
const MOST_PAGES = 2 ** (32 - PAGE_BITS);
const PLACE_MASK = PAGE_BYTES - 1;

/**
 * Byte strings and texts by number, in pages that are never copied and that the garbage collector need not walk: eight bytes
 * beside its own, where an object of its own takes two hundred. 0 stands for none.
 */
export class Pages {
  readonly #pages: Uint8Array[] = [];
  /** The same pages, as what reads texts. */
  readonly #texts: Buffer[] = [];
  #page = -1;
  #used = PAGE_BYTES;
  /** Page and place in it, by number. */
  #place = new Uint32Array(64);
  #length = new Uint32Array(64);
  #top = 1;
  /** Numbers that are free, by the length of their place: what is as long takes it. */
  readonly #free = new Map<number, number[]>();

  /** Keeps a copy of these bytes, under a number of its own. */
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
    for (let n = 0; n < copy.length; n++) copy[n] = page[at + n]!; // they are short: `slice` takes longer
    return copy;
  }

  /** UTF-8, as it was held. */
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

  /** A hash of a text that is alike for upper and lower case of ASCII (RFC 4343 §3), as names have it. */
  nameHash(id: number): number {
    return hashOfName(this.pageOf(id), this.at(id), this.#length[id]);
  }

  /** Room for so many at once. */
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

  /** A new number with room for so many bytes. What is longer than a page has one to itself. */
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

/** FNV-1a of the bytes with `A` to `Z` as `a` to `z`. */
export function hashOfName(bytes: Uint8Array, start = 0, length = bytes.length): number {
  let hash = 0x811c_9dc5;
  for (let n = start; n < start + length; n++) {
    const byte = bytes[n]!;
    hash = Math.imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), 0x0100_0193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}
