/** Floor 1. An ordered, gapless feed of rows and events in PostgreSQL, over a registry of kinds. */
export { type Appender, appendFrom, type By, createAppender, type Occurred } from "./append.ts";
export type * from "./change.ts";
export { RolledBack, SourceFault } from "./fault.ts";
export { INT8_AS_NUMBER } from "./int8.ts";
export { createNotifier, type Notifier } from "./notifier.ts";
export { LEADER_LOCK } from "./place.ts";
export { pull } from "./pull.ts";
export type * from "./registry.ts";
export { CANDIDACY_MS, type Sequencer, type SequencerOptions, startSequencer } from "./sequencer.ts";
export { PgFeed, type PgFeedOptions } from "./pg-feed.ts";
export { Follower, type FollowerLog, type FollowerOptions, type Outage } from "./follower.ts";
export { FeedReplica, type Followed, type RowSet } from "./replica.ts";
export type * from "./source.ts";
export { type Index, type Rows, Table } from "./table.ts";
export { fullKey } from "./tombstones.ts";
export { type Put, VersionedRows } from "./versioned.ts";
