import type { Interface, Lease } from "../model.ts";
import type { Bulk } from "./columns.ts";
import { rowOf } from "./rows.ts";
import { Tuple } from "./tuple.ts";

/**
 * Some interfaces or leases of a load, as the database sent them. Good until the next batch is asked for: its bytes are used
 * again. Memory takes the fields from where they lie; whoever wants rows iterates, and gets rows.
 */
export class Tuples implements Iterable<Interface | Lease> {
  readonly kind: Bulk;
  readonly #bytes: Uint8Array;
  /** How many of its kind there are in all, for whoever makes room. */
  readonly total: number;

  constructor(kind: Bulk, bytes: Uint8Array, total: number) {
    this.kind = kind;
    this.#bytes = bytes;
    this.total = total;
  }

  /** The tuples one by one, always the same object: `while (tuple.next())`. */
  read(): Tuple {
    return new Tuple().over(this.#bytes);
  }

  count(): number {
    const tuple = this.read();
    let count = 0;
    while (tuple.next()) count++;
    return count;
  }

  *[Symbol.iterator](): Generator<Interface | Lease> {
    const tuple = this.read();
    while (tuple.next()) yield rowOf(this.kind, tuple);
  }
}
