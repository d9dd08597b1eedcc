/** A map of the `limit` most recently used entries. */
export class Recent<Key, Value> {
  readonly #limit: number;
  readonly #entries = new Map<Key, Value>();
  /** Goes along behind the newest: a fresh look for the oldest would walk past every entry that was moved or forgotten. */
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
