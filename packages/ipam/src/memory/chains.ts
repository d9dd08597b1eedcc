/**
 * Slots of packed rows by something of theirs: hash chains in two integer arrays, eight bytes a row where a Map takes forty.
 * What is hashed lies in the rows' own columns; whoever looks compares it there.
 */
export class Chains {
  #heads = new Int32Array(256).fill(-1);
  #next = new Int32Array(256);
  #count = 0;
  readonly #hashAt: (slot: number) => number;

  constructor(hashAt: (slot: number) => number) {
    this.#hashAt = hashAt;
  }

  /** The first slot that may have this hash, -1 for none; the rest by `next`. */
  first(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)]!;
  }

  next(slot: number): number {
    return this.#next[slot]!;
  }

  add(slot: number): void {
    if (++this.#count > this.#heads.length) this.#spread(this.#heads.length * 2);
    if (slot >= this.#next.length) this.#next = grown(this.#next, slot);
    this.#link(slot);
  }

  /** Room for so many slots at once: nothing is spread or copied until there are more. */
  reserve(slots: number): void {
    if (slots > this.#heads.length) this.#spread(2 ** Math.ceil(Math.log2(slots)));
    if (slots > this.#next.length) this.#next = widened(this.#next, slots);
  }

  drop(slot: number): void {
    const at = this.#hashAt(slot) & (this.#heads.length - 1);
    let before = -1;
    for (let here = this.#heads[at]!; here !== -1; before = here, here = this.#next[here]!) {
      if (here !== slot) continue;
      if (before === -1) this.#heads[at] = this.#next[slot]!;
      else this.#next[before] = this.#next[slot]!;
      this.#count--;
      return;
    }
  }

  #link(slot: number): void {
    const at = this.#hashAt(slot) & (this.#heads.length - 1);
    this.#next[slot] = this.#heads[at]!;
    this.#heads[at] = slot;
  }

  #spread(heads: number): void {
    const old = this.#heads;
    this.#heads = new Int32Array(heads).fill(-1);
    for (const head of old) {
      for (let slot = head; slot !== -1;) {
        const next = this.#next[slot]!;
        this.#link(slot);
        slot = next;
      }
    }
  }
}

type Column = Int32Array | Uint32Array | Float64Array | Uint8Array | Uint16Array;

/** The same column with room for one more slot, and a fifth to spare. */
export function grown<A extends Column>(column: A, slot: number): A {
  return widened(column, widthFor(slot));
}

/** How wide columns become that must take this slot. */
export function widthFor(slot: number): number {
  return Math.ceil((slot + 1) * 1.2) + 256;
}

export function widened<A extends Column>(column: A, width: number): A {
  const wider = new (column.constructor as new (length: number) => A)(width);
  wider.set(column);
  return wider;
}

/** A hash of a number up to 2^53: MACs come in strides, and chains want them spread. */
export function hashOf(key: number): number {
  let hash = Math.imul((key | 0) ^ Math.imul(Math.floor(key / 0x1_0000_0000), 0x9e37_79b1), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Of an id: they are given in turn, so they are spread as they are, and who comes in their order walks memory in its order. */
export function hashOfId(id: number): number {
  return id >>> 0;
}

/** Of an IPv4 address: neighbours stay neighbours, runs of 64 are spread. */
export function hashOfAddress(address: number): number {
  return ((hashOf(address >>> 6) << 6) | (address & 63)) >>> 0;
}
