const MOST = 65_536;

/** Versions of deleted rows, so that an older change that arrives late does not restore one. The oldest tombstone is dropped first. */
export class Tombstones {
  readonly #versions = new Map<string, number>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  add(kind: string, key: string, version: number): void {
    const full = fullKey(kind, key);
    this.#versions.delete(full);
    this.#versions.set(full, version);
    if (this.#versions.size > this.#most) this.#versions.delete(this.#versions.keys().next().value!);
  }

  /** The version in which the row was deleted, 0 when it is not known to have been. */
  version(kind: string, key: () => string): number {
    return this.#versions.size === 0 ? 0 : (this.#versions.get(fullKey(kind, key())) ?? 0);
  }

  /** The row was created again. */
  remove(kind: string, key: () => string): void {
    if (this.#versions.size > 0) this.#versions.delete(fullKey(kind, key()));
  }

  get size(): number {
    return this.#versions.size;
  }
}

/** Identity of a row across kinds. */
export function fullKey(kind: string, key: string): string {
  return `${kind} ${key}`;
}
