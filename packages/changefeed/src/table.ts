import type { Row } from "./change.ts";

/** An index beside a table: called for every row that is added or dropped. */
export interface Index<R> {
  add(row: R): void;
  drop(row: R): void;
}

/** One kind's rows by identity: a Map (`Table`), or typed arrays where there are millions. */
export interface Rows<R extends Row> {
  /** The row held under this row's identity. */
  like(row: R): R | undefined;
  /** The row held under a feed's key; a key that cannot be read holds nothing. */
  under(key: string): R | undefined;
  /** Stores the row; returns the row that it replaces. */
  put(row: R): R | undefined;
  drop(row: R): void;
  all(): IterableIterator<R>;
  readonly size: number;
}

/** Rows in a Map: for kinds of which a site has thousands. */
export class Table<K, R extends Row> implements Rows<R> {
  readonly #rows = new Map<K, R>();
  readonly #identity: (row: R) => K;
  readonly #read: (key: string) => K | undefined;
  readonly #indexes: readonly Index<R>[];

  constructor(identity: (row: R) => K, read: (key: string) => K | undefined, indexes: readonly Index<R>[] = []) {
    this.#identity = identity;
    this.#read = read;
    this.#indexes = indexes;
  }

  get(identity: K): R | undefined {
    return this.#rows.get(identity);
  }

  like(row: R): R | undefined {
    return this.#rows.get(this.#identity(row));
  }

  under(key: string): R | undefined {
    const identity = this.#read(key);
    return identity === undefined ? undefined : this.#rows.get(identity);
  }

  put(row: R): R | undefined {
    const before = this.like(row);
    if (before) for (const index of this.#indexes) index.drop(before);
    this.#rows.set(this.#identity(row), row);
    for (const index of this.#indexes) index.add(row);
    return before;
  }

  drop(row: R): void {
    if (this.#rows.delete(this.#identity(row))) for (const index of this.#indexes) index.drop(row);
  }

  all(): IterableIterator<R> {
    return this.#rows.values();
  }

  get size(): number {
    return this.#rows.size;
  }
}
