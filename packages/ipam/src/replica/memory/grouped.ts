import { type Key, Ordered } from "./ordered.ts";

/** Keys in order: of all groups together, and of each group. */
export class Grouped<K extends Key> {
  readonly #all = new Ordered<K>();
  readonly #groups = new Map<number, Ordered<K>>();

  add(key: K, group: number): void {
    this.#all.add(key);
    let own = this.#groups.get(group);
    if (!own) this.#groups.set(group, (own = new Ordered()));
    own.add(key);
  }

  drop(key: K, group: number): void {
    this.#all.drop(key);
    this.#groups.get(group)?.drop(key);
  }

  /** The keys after this one, of one group or of all. */
  after(key?: K, group?: number): Iterable<K> {
    const keys = group === undefined ? this.#all : this.#groups.get(group);
    return keys?.after(key) ?? [];
  }
}
