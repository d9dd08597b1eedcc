/**
 * A hash index over the slots of packed rows: chains in two integer arrays, 8 bytes a row where a Map takes 40. The index
 * does not store keys: the caller compares the key in the rows' columns. The table grows by linear hashing, one chain split for
 * each slot past the number of chains, so that no insert has to rehash a million rows.
 */
export class HashIndex {
  /** The first slot of each chain, plus one. 0 means empty, so that untouched memory pages cost nothing. */
  #heads = new Int32Array(256);
  #next = new Int32Array(256);
  #count = 0;
  /** The number of chains, and the mask of hash bits that select one. The highest bit counts only below the split point. */
  #chains = 256;
  #mask = 255;
  readonly #hashAt: (slot: number) => number;

  constructor(hashAt: (slot: number) => number) {
    this.#hashAt = hashAt;
  }

  /** The first slot that may have this hash, -1 for none. `next` gives the following ones. */
  first(hash: number): number {
    return this.#heads[this.#chainOf(hash)]! - 1;
  }

  next(slot: number): number {
    return this.#next[slot]! - 1;
  }

  add(slot: number): void {
    if (++this.#count > this.#chains) this.#split();
    if (slot >= this.#next.length) this.#next = grown(this.#next, slot);
    this.#link(slot);
  }

  /** Reserves room for this many slots. */
  reserve(slots: number): void {
    if (slots > this.#next.length) this.#next = widened(this.#next, slots);
    if (slots > this.#heads.length) this.#heads = widened(this.#heads, slots);
  }

  /** In an empty index, makes as many chains as slots are expected, so that they are not split one by one. */
  spread(slots: number): void {
    if (this.#count > 0 || slots <= this.#chains) return;
    this.reserve(slots);
    this.#chains = slots;
    this.#mask = 2 ** Math.ceil(Math.log2(slots)) - 1;
  }

  drop(slot: number): void {
    const at = this.#chainOf(this.#hashAt(slot));
    let before = -1;
    for (let here = this.#heads[at]! - 1; here !== -1; before = here, here = this.#next[here]! - 1) {
      if (here !== slot) continue;
      if (before === -1) this.#heads[at] = this.#next[slot]!;
      else this.#next[before] = this.#next[slot]!;
      this.#count--;
      return;
    }
  }

  #chainOf(hash: number): number {
    const at = hash & this.#mask;
    return at < this.#chains ? at : at & (this.#mask >>> 1);
  }

  #link(slot: number): void {
    const at = this.#chainOf(this.#hashAt(slot));
    this.#next[slot] = this.#heads[at]!;
    this.#heads[at] = slot + 1;
  }

  #split(): void {
    if (this.#chains > this.#mask) this.#mask = this.#mask * 2 + 1;
    const at = this.#chains++ & (this.#mask >>> 1);
    if (this.#chains > this.#heads.length) this.#heads = grown(this.#heads, this.#chains);
    let here = this.#heads[at]!;
    this.#heads[at] = 0;
    while (here !== 0) {
      const next = this.#next[here - 1]!;
      this.#link(here - 1);
      here = next;
    }
  }
}

type Column = Int32Array | Uint32Array | Float64Array | Uint8Array | Uint16Array;

/** The same column with room for one more slot and a fifth more. */
export function grown<A extends Column>(column: A, slot: number): A {
  return widened(column, widthFor(slot));
}

/** The length to which columns grow that must hold this slot. */
export function widthFor(slot: number): number {
  return Math.ceil((slot + 1) * 1.2) + 256;
}

export function widened<A extends Column>(column: A, width: number): A {
  const wider = new (column.constructor as new (length: number) => A)(width);
  wider.set(column);
  return wider;
}

/** Hash of a number up to 2^53. It spreads MACs, which come in strides. */
export function hashOf(key: number): number {
  let hash = Math.imul((key | 0) ^ Math.imul(Math.floor(key / 0x1_0000_0000), 0x9e37_79b1), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Hash of an id. Ids are consecutive and so spread already; copy in id order then walks memory in order. */
export function hashOfId(id: number): number {
  return id >>> 0;
}

/** Hash of an IPv4 address: 64 neighbours stay neighbours in memory, runs of 64 are spread. */
export function hashOfAddress(address: number): number {
  return ((hashOf(address >>> 6) << 6) | (address & 63)) >>> 0;
}
