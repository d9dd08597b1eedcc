import { Chains, grown } from "./chains.ts";

const PAGE_BITS = 20;
const PAGE_BYTES = 1 << PAGE_BITS;
const PLACE_MASK = PAGE_BYTES - 1;

/**
 * Byte strings that rows have (client ids, a switch's remote id, its ports' circuit ids), each held once, in pages that are
 * never copied: some twenty bytes beside its own, where an object of its own takes two hundred. 0 stands for none.
 */
export class Blobs {
  readonly #pages: Uint8Array[] = [];
  #page = -1;
  #used = PAGE_BYTES;
  /** Page and place in it, by number. */
  #place = new Uint32Array(64);
  #length = new Uint32Array(64);
  #uses = new Uint32Array(64);
  #top = 1;
  /** Numbers that are free, by the length of their place: what is as long takes it. */
  readonly #free = new Map<number, number[]>();
  readonly #byHash = new Chains((id) =>
    hashOfBytes(this.#pageOf(id), this.#place[id]! & PLACE_MASK, this.#length[id]!),
  );

  /** The number of these bytes, with one use more. */
  hold(bytes: Uint8Array | undefined, start = 0, length = (bytes?.length ?? 0) - start): number {
    if (!bytes) return 0;
    const first = this.#byHash.first(hashOfBytes(bytes, start, length));
    for (let id = first; id !== -1; id = this.#byHash.next(id)) {
      if (!this.#is(id, bytes, start, length)) continue;
      this.#uses[id]!++;
      return id;
    }
    const id = this.#free.get(length)?.pop() ?? this.#take(length);
    const at = this.#place[id]! & PLACE_MASK;
    const page = this.#pageOf(id);
    for (let n = 0; n < length; n++) page[at + n] = bytes[start + n]!;
    this.#uses[id] = 1;
    this.#byHash.add(id);
    return id;
  }

  /** A copy of them. */
  bytes(id: number): Uint8Array | undefined {
    if (id === 0) return undefined;
    const at = this.#place[id]! & PLACE_MASK;
    return this.#pageOf(id).slice(at, at + this.#length[id]!);
  }

  release(id: number): void {
    if (id === 0 || --this.#uses[id]! > 0) return;
    this.#byHash.drop(id);
    const length = this.#length[id]!;
    const free = this.#free.get(length);
    if (free) free.push(id);
    else this.#free.set(length, [id]);
  }

  #pageOf(id: number): Uint8Array {
    return this.#pages[this.#place[id]! >>> PAGE_BITS]!;
  }

  #is(id: number, bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#length[id] !== length) return false;
    const page = this.#pageOf(id);
    const at = this.#place[id]! & PLACE_MASK;
    for (let n = 0; n < length; n++) if (page[at + n] !== bytes[start + n]) return false;
    return true;
  }

  /** A new number with room for so many bytes. What is longer than a page has one to itself. */
  #take(length: number): number {
    const id = this.#top++;
    if (id >= this.#place.length) this.#grow(id);
    if (length > PAGE_BYTES) {
      this.#place[id] = (this.#pages.push(new Uint8Array(length)) - 1) << PAGE_BITS;
    } else {
      if (this.#used + length >= PAGE_BYTES) {
        this.#page = this.#pages.push(new Uint8Array(PAGE_BYTES)) - 1;
        this.#used = 0;
      }
      this.#place[id] = (this.#page << PAGE_BITS) | this.#used;
      this.#used += length;
    }
    this.#length[id] = length;
    return id;
  }

  #grow(id: number): void {
    this.#place = grown(this.#place, id);
    this.#length = grown(this.#length, id);
    this.#uses = grown(this.#uses, id);
  }
}

/** FNV-1a, folded. */
function hashOfBytes(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c_9dc5;
  for (let n = start; n < start + length; n++) hash = Math.imul(hash ^ bytes[n]!, 0x0100_0193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
