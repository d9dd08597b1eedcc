import type { Index } from "@firstlight/changefeed";

const NONE: readonly never[] = [];

/** Rows by a key that several rows may share: a MAC, a label, an owner. Lists are short or change rarely. */
export class Multimap<K, R> implements Index<R> {
  readonly #lists = new Map<K, R[]>();
  readonly #keyOf: (row: R) => K | undefined;

  constructor(keyOf: (row: R) => K | undefined) {
    this.#keyOf = keyOf;
  }

  of(key: K): readonly R[] {
    return this.#lists.get(key) ?? NONE;
  }

  add(row: R): void {
    const key = this.#keyOf(row);
    if (key === undefined) return;
    const list = this.#lists.get(key);
    if (list) list.push(row);
    else this.#lists.set(key, [row]);
  }

  drop(row: R): void {
    const key = this.#keyOf(row);
    if (key === undefined) return;
    const list = this.#lists.get(key);
    const at = list?.indexOf(row) ?? -1;
    if (!list || at < 0) return;
    if (list.length === 1) this.#lists.delete(key);
    else list.splice(at, 1);
  }
}
