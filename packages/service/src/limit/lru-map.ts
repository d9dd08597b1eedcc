/** A map of the `limit` most recently used entries. */
export class LruMap<Key, Value> {
  readonly #limit: number;
  readonly #entries = new Map<Key, Value>();
  /** One iterator for all evictions: a new iterator would skip every deleted entry of the map again. */
  #oldest = this.#entries.keys();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return;
    this.#entries.delete(this.#next());
  }

  #next(): Key {
    let oldest = this.#oldest.next();
    if (oldest.done === true) oldest = (this.#oldest = this.#entries.keys()).next();
    return oldest.value!;
  }
}
