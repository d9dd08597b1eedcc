/** A key of an ordered list; `<` compares two keys of the same type. */
export type Key = number | bigint | string;

const MOST = 512;

/**
 * Distinct keys in ascending order, in blocks of at most 512. Two binary searches find a key, and an insert moves only the
 * rest of one block. A number takes 8 bytes. The count of a range is the sum of its blocks' sizes.
 */
export class Ordered<K extends Key> {
  readonly #blocks: K[][] = [];

  add(key: K): void {
    const nth = Math.min(this.#blockOf(key), this.#blocks.length - 1);
    const block = this.#blocks[nth];
    if (!block) return void this.#blocks.push([key]);
    const at = lowerBound(block, key);
    if (block[at] === key) return;
    if (block.length < MOST) return void block.splice(at, 0, key);
    if (at === MOST) return void this.#blocks.splice(nth + 1, 0, [key]); // ascending keys leave full blocks behind
    const rest = block.splice(MOST / 2);
    this.#blocks.splice(nth + 1, 0, rest);
    if (at <= block.length) block.splice(at, 0, key);
    else rest.splice(at - block.length, 0, key);
  }

  drop(key: K): void {
    const nth = this.#blockOf(key);
    const block = this.#blocks[nth];
    const at = block ? lowerBound(block, key) : -1;
    if (!block || block[at] !== key) return;
    if (block.length === 1) this.#blocks.splice(nth, 1);
    else block.splice(at, 1);
  }

  /** The keys after this one, or all. The iterator is invalid once a key was added or dropped. */
  *after(key?: K): IterableIterator<K> {
    let nth = key === undefined ? 0 : this.#blockOf(key);
    let at = key === undefined ? 0 : lowerBound(this.#blocks[nth] ?? [], key);
    if (key !== undefined && this.#blocks[nth]?.[at] === key) at++;
    for (; nth < this.#blocks.length; nth++, at = 0) {
      const block = this.#blocks[nth]!;
      for (; at < block.length; at++) yield block[at]!;
    }
  }

  /** The number of keys from `first` to `last`, both included. */
  count(first: K, last: K): number {
    const [low, high] = [this.#blockOf(first), this.#blockOf(last)];
    let count = lowerBound(this.#blocks[high] ?? [], last) - lowerBound(this.#blocks[low] ?? [], first);
    for (let nth = low; nth < high; nth++) count += this.#blocks[nth]!.length;
    const end = this.#blocks[high];
    return end && end[lowerBound(end, last)] === last ? count + 1 : count;
  }

  /** The index of the first block whose last key is not before this one; the number of blocks if there is none. */
  #blockOf(key: K): number {
    let [low, high] = [0, this.#blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#blocks[middle]!.at(-1)! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The index of the first key that is not before this one. */
function lowerBound<K extends Key>(block: readonly K[], key: K): number {
  let [low, high] = [0, block.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
