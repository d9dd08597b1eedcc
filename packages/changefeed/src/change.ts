/**
 * Where a reader stands in the feed. Positions are gapless and ordered by the sequencer within an epoch; a new epoch
 * (restore, failover) forces a reload. Positions go on growing across epochs, so zone serials never go back.
 */
export interface Position {
  readonly epoch: string;
  readonly position: number;
}

/** A row as readers hold it. The version grows with every change of the row, also when it is deleted and created again. */
export interface Row {
  readonly kind: string;
  readonly version: number;
}

/** What an event of each kind carries, by kind. */
export type EventMap = Readonly<Record<string, object>>;

/** What every entry of the feed has, in feed order. */
interface Entry {
  readonly position: number;
  /** Identity of the row or event within its kind, as its owner writes it. */
  readonly key: string;
  /** Drawn from one sequence under the row's lock: the versions of one row only grow. */
  readonly version: number;
  /** Whether names or addresses in DNS may differ after it: a plain renewal has `false`. */
  readonly dns: boolean;
  /** When it was appended, in the database's clock, milliseconds. */
  readonly at: number;
  /** Who made the change: `daemon/dhcpd`, `operator/root`, `config`. */
  readonly actor: string;
  /** W3C trace id of the boot it belongs to, if any. */
  readonly trace?: string;
}

/** One committed change of one row. */
export interface RowChange<R extends Row> extends Entry {
  readonly is: "row";
  readonly kind: R["kind"];
  /** The row as of this version. Absent: the row was deleted, and readers keep this change's version as a tombstone. */
  readonly row?: R;
}

/** Something that happened and that is no row's state. Nothing replaces or deletes it. */
export interface EventEntry<K extends string, E> extends Entry {
  readonly is: "event";
  readonly kind: K;
  readonly event: E;
}

/** An entry of a kind that this reader's registry does not hold: audit-only, another owner's, or a later version's. */
export interface UnreadEntry extends Entry {
  readonly is: "unread";
  readonly kind: string;
}

/** One entry of the feed as a reader gets it. */
export type Change<R extends Row, E extends EventMap> = RowChange<R> | EventOf<E> | UnreadEntry;

type EventOf<E extends EventMap> = { readonly [K in keyof E & string]: EventEntry<K, E[K]> }[keyof E & string];

/** A change as a replica applied it: with the row it replaced, so that a consumer need not keep a copy of its own. */
export type Applied<R extends Row, E extends EventMap> =
  | (RowChange<R> & { readonly before?: R })
  | EventOf<E>
  | UnreadEntry;
