import type pg from "pg";
import type { EventMap, Row } from "./change.ts";

/** A row or event as PostgreSQL writes it: `to_jsonb(row)`. */
export type Json = Readonly<Record<string, unknown>>;

/** How rows of one kind are stored and read; `All` are the rows of all kinds. */
export interface RowKind<R extends Row, All extends Row = R> {
  /** The table of its rows, with its schema: `ipam.segment`. */
  readonly table: string;
  /** The key that changes of this row carry. Two rows of a kind never share one. */
  readonly keyOf: (json: Json) => string;
  /** The row as readers hold it. A value that cannot be read is a bug, and throws. */
  readonly read: (json: Json) => R;
  /** Reads all rows in the client's open transaction, in batches. Absent: as JSON, through a cursor. */
  readonly load?: (client: pg.Client) => AsyncIterable<Iterable<All>>;
}

/** How events of one kind are read. */
export interface EventKind<E> {
  readonly keyOf: (event: E) => string;
  readonly read: (json: Json) => E;
}

/**
 * The kinds that one owner publishes on the feed and its readers hold. Rows, in the order in which readers load them;
 * events; and kinds that are written for the audit and that no reader holds.
 */
export interface Registry<R extends Row, E extends EventMap, A extends string = never> {
  readonly rows: { readonly [K in R["kind"]]: RowKind<Extract<R, { kind: K }>, R> };
  readonly events: { readonly [K in keyof E & string]: EventKind<E[K]> };
  readonly audit: readonly A[];
}
