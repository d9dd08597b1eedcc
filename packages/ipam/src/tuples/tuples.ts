import type { Interface, Lease } from "../model/model.ts";
import type { Bulk } from "./columns.ts";
import { rowOf } from "./rows.ts";
import { Tuple } from "./tuple.ts";

/**
 * A batch of interfaces or leases as the database sent them. Valid until the next batch, which reuses its bytes. The replica
 * reads the fields in place; iterating gives rows.
 */
export class Tuples implements Iterable<Interface | Lease> {
  readonly kind: Bulk;
  readonly #bytes: Uint8Array;
  /** The number of rows of this kind in all, to reserve room. */
  readonly total: number;

  constructor(kind: Bulk, bytes: Uint8Array, total: number) {
    this.kind = kind;
    this.#bytes = bytes;
    this.total = total;
  }

  /** The tuples one after another, in one reused object: `while (tuple.next())`. */
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
