import type { RelocationEvent } from "./arrival.ts";
import type { Kind, Row } from "./model.ts";

/**
 * Where a reader stands in the change feed. Positions are gapless and ordered by the sequencer within an epoch; a new
 * epoch (restore, failover) forces a reload. Positions go on growing across epochs, so zone serials never go back.
 */
export interface Position {
  readonly epoch: string;
  readonly position: number;
}

/** One committed change of one row, in feed order. Versions of one row only grow. */
export interface Change {
  readonly position: number;
  readonly kind: Kind;
  /** Identity of the row within its kind: an id, a MAC, or `vrf/address` of a lease. */
  readonly key: string;
  readonly version: number;
  /** The row as of this version; absent: deleted (readers keep the tombstone's version). */
  readonly row?: Row;
  /** What happened, where that is no row's: a device arrived. */
  readonly told?: RelocationEvent;
  /** Whether names or addresses in DNS may differ after it: a plain renewal says no. */
  readonly dns: boolean;
  /** Commit time in the database's clock, milliseconds. */
  readonly at: number;
  /** Who: `daemon/dhcpd`, `operator/root`, `config`. */
  readonly actor: string;
  /** W3C trace id of the boot it belongs to, if any. */
  readonly trace?: string;
}

/** A change as a replica applied it: with the row it replaced, so that a consumer of the feed need not keep its own copy. */
export interface Applied extends Change {
  readonly before?: Row;
}
