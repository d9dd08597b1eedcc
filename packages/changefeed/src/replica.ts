import type { Applied, Change, EventMap, Position, Row, RowChange } from "./change.ts";
import type { Put } from "./versioned.ts";

/** The position of a replica that has loaded nothing. Its epoch is no source's, so every source answers `epoch`. */
export const NOWHERE: Position = { epoch: "", position: 0 };

/** All rows of one epoch, as a replica's owner keeps them. */
export interface RowSet<R extends Row> {
  /** Takes a batch of a load, into a set that holds none of its rows yet. */
  take(batch: Iterable<R>): void;
  apply(change: RowChange<R>): Put<R>;
  readonly size: number;
}

/** The events of a replica's listeners: each applied batch in feed order, or a reload of all rows. */
export type Followed<R extends Row, E extends EventMap> =
  | { readonly is: "reload"; readonly at: Position }
  | { readonly is: "changes"; readonly changes: readonly Applied<R, E>[]; readonly at: Position };

/**
 * Rows of the feed in this process's memory, their position and their age. The owner adds the methods that read rows.
 * Applying a batch is one synchronous step: a reader sees all of it or nothing.
 */
export class FeedReplica<R extends Row, E extends EventMap, S extends RowSet<R>> {
  at: Position = NOWHERE;
  /** Position of the last change that may alter DNS. */
  dnsPosition = 0;
  #rows: S;
  #completeAt = -Infinity;
  #ahead = 0;
  readonly #clock: { now(): number };
  readonly #listeners = new Set<(event: Followed<R, E>) => void>();

  constructor(clock: { now(): number }, empty: S) {
    this.#clock = clock;
    this.#rows = empty;
  }

  /** Replaces everything held: after a load, in a new epoch. */
  swap(rows: S, at: Position, dnsPosition: number): void {
    this.#rows = rows;
    this.at = at;
    this.dnsPosition = dnsPosition;
    this.#emit({ is: "reload", at });
  }

  /** Applies what follows `at`. Where a position is missing nothing is applied: `gap`, and the caller loads anew. */
  apply(changes: readonly Change<R, E>[]): "applied" | "gap" {
    const fresh = changes.filter((change) => change.position > this.at.position);
    if (fresh.some((change, n) => change.position !== this.at.position + 1 + n)) return "gap";
    const applied = fresh.map((change): Applied<R, E> => {
      if (change.is !== "row") return change;
      const put = this.#rows.apply(change);
      return put.is === "applied" && put.before ? { ...change, before: put.before } : change;
    });
    const last = fresh.at(-1);
    if (!last) return "applied";
    this.at = { epoch: this.at.epoch, position: last.position };
    this.dnsPosition = fresh.findLast((change) => change.dns)?.position ?? this.dnsPosition;
    this.#emit({ is: "changes", changes: applied, at: this.at });
    return "applied";
  }

  /** Sets the database's clock. It was read between two readings of this process's clock; the later one makes grace times longer, not shorter. */
  observe(databaseNow: number): void {
    this.#ahead = databaseNow - this.#clock.now();
  }

  /** Everything that was committed before `at` (this process's clock) is here. */
  complete(at: number): void {
    this.#completeAt = at;
  }

  /** Restores the clocks of a snapshot, until the database is asked again. */
  resume({ completeAt, ahead }: { readonly completeAt: number; readonly ahead: number }): void {
    this.#completeAt = completeAt;
    this.#ahead = ahead;
  }

  /** When, by our clock, the feed was last known to be complete here. */
  get completeAt(): number {
    return this.#completeAt;
  }

  /** The database's clock minus ours, milliseconds. */
  get ahead(): number {
    return this.#ahead;
  }

  get isLoaded(): boolean {
    return this.at !== NOWHERE;
  }

  /** Milliseconds since the feed was last known to be complete. */
  stalenessMs(): number {
    return Math.max(0, this.#clock.now() - this.#completeAt);
  }

  /** The database's clock as estimated here. */
  databaseNow(): number {
    return this.#clock.now() + this.#ahead;
  }

  /** Calls the listener after each applied batch, in feed order; and once with `reload` after a full load. */
  follow(listener: (event: Followed<R, E>) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #emit(event: Followed<R, E>): void {
    for (const listener of this.#listeners) listener(event);
  }
}
