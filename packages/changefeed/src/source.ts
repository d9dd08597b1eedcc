import type { Change, EventMap, Position, Row } from "./change.ts";

/** The source of a replica's rows: PostgreSQL in a site, a list in a test. */
export interface Source<R extends Row, E extends EventMap> {
  /** One consistent snapshot of every row of these kinds (absent: of all), and where in the feed it stands. */
  load(kinds?: readonly R["kind"][]): Promise<Loaded<R>>;
  /**
   * Changes after `after` in feed order, at most `limit`; `epoch` when the reader must load everything again. Changes of rows
   * of other kinds than `kinds` (absent: all) are `unread` entries, so positions have no gaps. Settles within a bounded time.
   */
  changes(after: Position, limit: number, kinds?: readonly R["kind"][]): Promise<Pulled<R, E>>;
  /** Settles when there may be new changes, or after `timeoutMs`: a lost notification costs only this delay. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export interface Loaded<R extends Row> {
  readonly at: Position;
  /** Position of the last change that may alter DNS. */
  readonly dnsPosition: number;
  /** The database's clock at the snapshot, milliseconds. */
  readonly databaseNow: number;
  /** In batches. A batch is valid until the next one is asked for, so a million rows need not be a million objects. */
  readonly rows: AsyncIterable<Iterable<R>>;
}

export type Pulled<R extends Row, E extends EventMap> =
  | {
      readonly is: "changes";
      readonly changes: readonly Change<R, E>[];
      /** The database's clock, milliseconds. */
      readonly databaseNow: number;
      /** Whether the feed has further changes now. */
      readonly more: boolean;
    }
  | { readonly is: "epoch"; readonly now: Position };
