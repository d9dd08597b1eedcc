import type { Change, Position } from "./feed.ts";
import type { Row } from "./model.ts";

/** Where a replica gets its rows: PostgreSQL in a site, a list in a test. */
export interface Source {
  /** One consistent snapshot of every row, and where in the feed it stands. */
  load(): Promise<Loaded>;
  /** Changes after `after` in feed order, at most `limit`; `epoch` when the reader must load anew. */
  changes(after: Position, limit: number): Promise<Pulled>;
  /** Settles when there may be news, or after `timeoutMs`: a lost notification costs that delay, nothing else. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export interface Loaded {
  readonly at: Position;
  readonly dnsPosition: number;
  /** The database's clock at the snapshot, milliseconds. */
  readonly databaseNow: number;
  /** In batches, each good until the next is asked for: a million rows are not a million objects (`Tuples`). */
  readonly rows: AsyncIterable<Iterable<Row>>;
}

/** The database answers and has no schema of ours: the one fault of the world that has a remedy by name. */
export class Unmigrated extends Error {
  readonly code = "FL_UNMIGRATED";

  constructor(cause: unknown) {
    super("database has no schema ipam (run: firstlight migrate)", { cause });
  }
}

/** Positions never go back: a feed behind its reader was restored, and its sequencer has not begun a new epoch yet. */
export class RolledBack extends Error {
  readonly code = "FL_ROLLED_BACK";

  constructor(seen: number, feed: number) {
    super(`database was restored to position ${feed}, before ${seen}: waiting for its sequencer to begin a new epoch`);
  }
}

export type Pulled =
  | {
      readonly is: "changes";
      readonly changes: readonly Change[];
      readonly databaseNow: number;
      readonly more: boolean;
    }
  | { readonly is: "epoch"; readonly now: Position };
