import { fullKey } from "../key.ts";
import type { Kind } from "../model.ts";

const MOST = 65_536;

/** Versions of deleted rows, so that an older copy that arrives late does not restore one. Bounded: the oldest is dropped first. */
export class Tombstones {
  readonly #versions = new Map<string, number>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  bury(kind: Kind, key: string, version: number): void {
    const full = fullKey(kind, key);
    this.#versions.delete(full);
    this.#versions.set(full, version);
    if (this.#versions.size > this.#most) this.#versions.delete(this.#versions.keys().next().value!);
  }

  /** The version at which the row was deleted; 0 if no deletion is known. */
  version(kind: Kind, key: () => string): number {
    return this.#versions.size === 0 ? 0 : (this.#versions.get(fullKey(kind, key())) ?? 0);
  }

  raise(kind: Kind, key: () => string): void {
    if (this.#versions.size > 0) this.#versions.delete(fullKey(kind, key()));
  }

  get size(): number {
    return this.#versions.size;
  }
}
