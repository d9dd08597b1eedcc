/** Where the feed is in the database. There is one feed in a database; its tables were made by the migrations of schema `ipam`. */
export const TABLES = {
  /** The outbox: changes that writers appended and that have no position yet. */
  outbox: "ipam.change_pending",
  /** Changes with their positions, as readers pull them. */
  log: "ipam.change",
  /** Where the feed stands: one row per round of the sequencer, the one with the highest position is valid. */
  head: "ipam.feed",
  /** The highest position that a reader ahead of the feed has seen. */
  highWater: "ipam.witness",
} as const;

/** The sequence of all versions. */
export const NEXT_VERSION = "nextval('ipam.version')";

/** The oid of the database in use, by which a copy of it is known. */
export const DATABASE_OID = "ipam.database_oid()";

/** Writers wake the sequencer, the sequencer wakes the readers. Both only save time: each side polls as well. */
export const CHANNELS = { pending: "firstlight_pending", feed: "firstlight_feed" } as const;

/** The advisory lock that the session of the one leader holds: (class, number). */
export const LEADER_LOCK = "1179403604, 2";
