import type { Row, RowChange } from "./change.ts";
import type { Rows } from "./table.ts";
import { Tombstones } from "./tombstones.ts";

/** The outcome for one row: `applied` in place of `before`, or `old` because a version at least as new is held. */
export type Put<R extends Row> = { readonly is: "applied"; readonly before?: R } | { readonly is: "old" };

/** Applies changes to the rows of all kinds: only newer versions apply, and deleted rows leave tombstones. */
export class VersionedRows<R extends Row> {
  readonly #kinds: { readonly [K in R["kind"]]: Rows<Extract<R, { kind: K }>> };
  readonly #keyOf: (row: R) => string;
  readonly #onReplaced: (before: R) => void;
  readonly #tombstones = new Tombstones();

  /** `keyOf` gives the key that the row's changes carry; `onReplaced` is called after a row was replaced or dropped. */
  constructor(
    kinds: { readonly [K in R["kind"]]: Rows<Extract<R, { kind: K }>> },
    keyOf: (row: R) => string,
    onReplaced: (before: R) => void = () => {},
  ) {
    this.#kinds = kinds;
    this.#keyOf = keyOf;
    this.#onReplaced = onReplaced;
  }

  put(row: R): Put<R> {
    const kind = row.kind as R["kind"];
    const rows = this.#kinds[kind] as unknown as Rows<R>;
    const held = rows.like(row);
    const key = (): string => this.#keyOf(row);
    if (row.version <= (held?.version ?? this.#tombstones.version(kind, key))) return { is: "old" };
    rows.put(row);
    if (!held) {
      this.#tombstones.remove(kind, key);
      return { is: "applied" };
    }
    this.#onReplaced(held);
    return { is: "applied", before: held };
  }

  apply(change: RowChange<R>): Put<R> {
    if (change.row) return this.put(change.row);
    const rows = this.#kinds[change.kind] as unknown as Rows<R>;
    const held = rows.under(change.key);
    if (held && change.version < held.version) return { is: "old" };
    this.#tombstones.add(change.kind, change.key, change.version);
    if (!held) return { is: "applied" };
    rows.drop(held);
    this.#onReplaced(held);
    return { is: "applied", before: held };
  }
}
