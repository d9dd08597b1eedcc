import type pg from "pg";
import type { RelocationEvent } from "../arrival.ts";
import type { Change, Position } from "../feed.ts";
import type { Kind } from "../model.ts";
import { type Pulled, RolledBack } from "../source.ts";
import { type Json, rowFrom, TABLES } from "./rows.ts";

interface FeedRow {
  readonly epoch: string;
  readonly feed_position: number;
  readonly now: number;
  readonly position: number | null;
  readonly version: number;
  readonly kind: Kind;
  readonly key: string;
  readonly dns: boolean;
  readonly row: Json | null;
  readonly actor: string;
  readonly trace: string | null;
  readonly at: number;
}

/** Where the feed stands and what lies after the reader's position, in one statement: one snapshot. */
const PULL = `
  SELECT f.epoch, f.position AS feed_position, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
    c.position, c.version, c.kind, c.key, c.dns, c."row", c.actor, c.trace, (extract(epoch FROM c.at) * 1000)::float8 AS at
  FROM (SELECT epoch, position FROM ipam.feed ORDER BY position DESC LIMIT 1) f
  LEFT JOIN LATERAL (
    SELECT * FROM ipam.change WHERE position > $1 ORDER BY position LIMIT $2
  ) c ON true
  ORDER BY c.position`;

/** It goes when the sequencer begins a new epoch beyond it. */
const WITNESS = `
  INSERT INTO ipam.witness (position) VALUES ($1)
  ON CONFLICT (one) DO UPDATE SET position = excluded.position, at = now() WHERE ipam.witness.position < excluded.position`;

/**
 * What a reader has not seen. `epoch` when its position means nothing here any more: another history (restore, failover), or so
 * far behind that what it needs was trimmed. Rejects with `RolledBack` where the feed is behind the reader, and bears witness.
 */
export async function pull(pool: pg.Pool, after: Position, limit: number): Promise<Pulled> {
  const { rows } = await pool.query<FeedRow>({
    name: "pull",
    text: PULL,
    values: [after.position, Math.max(1, limit)],
  });
  const feed = rows[0]!;
  const now = { epoch: feed.epoch, position: feed.feed_position };
  if (after.position > now.position) {
    await pool.query(WITNESS, [after.position]);
    throw new RolledBack(after.position, now.position);
  }
  if (after.epoch !== now.epoch) return { is: "epoch", now };
  const isBehindTrim = after.position < now.position && feed.position !== after.position + 1;
  // Who can do without what is missing, as the outbox can, goes on with the first change that is there.
  if (isBehindTrim) return { is: "epoch", now: { ...now, position: (feed.position ?? now.position + 1) - 1 } };
  const changes = rows.filter((row) => row.position !== null).map(changeFrom);
  const more = after.position + changes.length < now.position;
  return { is: "changes", changes, databaseNow: feed.now, more };
}

function changeFrom(row: FeedRow): Change {
  return {
    position: row.position!,
    kind: row.kind,
    key: row.key,
    version: row.version,
    // A kind of a later version, or one that no reader holds: its position counts, the rest is not for us.
    ...(row.row && row.kind in TABLES && { row: rowFrom(row.kind, row.row) }),
    ...(row.row && (row.kind as string) === "arrival" && { told: row.row as unknown as RelocationEvent }),
    dns: row.dns,
    at: Math.floor(row.at), // PostgreSQL counts microseconds
    actor: row.actor,
    ...(row.trace !== null && { trace: row.trace }),
  };
}
