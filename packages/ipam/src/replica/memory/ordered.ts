/** What a list can be ordered by; `<` compares two of one kind. */
export type Key = number | bigint | string;

const MOST = 512;

/**
 * Distinct keys in ascending order, in blocks of at most 512: a key is found by two binary searches, and what is put in moves
 * the rest of one block only. 8 bytes a number. How many lie in a range is the sum of the blocks' sizes.
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

  /** The keys beyond this one, or all. Not to be read on once a key was added or dropped. */
  *after(key?: K): IterableIterator<K> {
    let nth = key === undefined ? 0 : this.#blockOf(key);
    let at = key === undefined ? 0 : lowerBound(this.#blocks[nth] ?? [], key);
    if (key !== undefined && this.#blocks[nth]?.[at] === key) at++;
    for (; nth < this.#blocks.length; nth++, at = 0) {
      const block = this.#blocks[nth]!;
      for (; at < block.length; at++) yield block[at]!;
    }
  }

  /** How many keys lie from `first` to `last`, both included. */
  count(first: K, last: K): number {
    const [low, high] = [this.#blockOf(first), this.#blockOf(last)];
    let count = lowerBound(this.#blocks[high] ?? [], last) - lowerBound(this.#blocks[low] ?? [], first);
    for (let nth = low; nth < high; nth++) count += this.#blocks[nth]!.length;
    const end = this.#blocks[high];
    return end && end[lowerBound(end, last)] === last ? count + 1 : count;
  }

  /** The first block whose last key is not before this one; as many as there are when all are. */
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

/** Where the first key lies that is not before this one. */
function lowerBound<K extends Key>(block: readonly K[], key: K): number {
  let [low, high] = [0, block.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
