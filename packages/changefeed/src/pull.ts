import type pg from "pg";
import type { Change, EventMap, Position, Row } from "./change.ts";
import { RolledBack } from "./fault.ts";
import { TABLES } from "./place.ts";
import type { Json, Registry } from "./registry.ts";
import type { Pulled } from "./source.ts";

interface Pull {
  readonly epoch: string;
  readonly feed_position: number;
  readonly now: number;
  readonly position: number | null;
  readonly version: number;
  readonly kind: string;
  readonly key: string;
  readonly dns: boolean;
  readonly row: Json | null;
  readonly actor: string;
  readonly trace: string | null;
  readonly at: number;
}

/** The feed's position and the changes after the reader's, in one statement: one snapshot. Rows of kinds in `$3` are not sent. */
const PULL = `
  SELECT f.epoch, f.position AS feed_position, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
    c.position, c.version, c.kind, c.key, c.dns,
    CASE WHEN c.kind <> ALL ($3::text[]) THEN c."row" END AS "row", c.actor, c.trace, (extract(epoch FROM c.at) * 1000)::float8 AS at
  FROM (SELECT epoch, position FROM ${TABLES.head} ORDER BY position DESC LIMIT 1) f
  LEFT JOIN LATERAL (
    SELECT * FROM ${TABLES.log} WHERE position > $1 ORDER BY position LIMIT $2
  ) c ON true
  ORDER BY c.position`;

/** The sequencer deletes the mark when it begins a new epoch beyond it. */
const RAISE_HIGH_WATER = `
  INSERT INTO ${TABLES.highWater} (position) VALUES ($1)
  ON CONFLICT (one) DO UPDATE SET position = excluded.position, at = now()
  WHERE ${TABLES.highWater}.position < excluded.position`;

export interface PullOptions<K extends string> {
  /** The most changes of one answer. */
  readonly limit: number;
  /** The kinds of rows that the reader holds; absent: all. Changes of other rows are `unread`. */
  readonly kinds?: readonly K[] | undefined;
}

/**
 * The next changes after a position, at most `limit`. `epoch` when the position has no meaning here any more: it is of
 * another history (restore, failover), or changes after it were trimmed. Rejects with `RolledBack` where the feed is
 * behind the reader, after it has raised the high-water mark. The pool parses int8 as numbers (`INT8_AS_NUMBER`).
 */
export async function pull<R extends Row, E extends EventMap, A extends string>(
  pool: pg.Pool,
  registry: Registry<R, E, A>,
  after: Position,
  { limit, kinds }: PullOptions<R["kind"]>,
): Promise<Pulled<R, E>> {
  const unread = kinds ? Object.keys(registry.rows).filter((kind) => !(kinds as readonly string[]).includes(kind)) : [];
  const { rows } = await pool.query<Pull>({
    name: "pull",
    text: PULL,
    values: [after.position, Math.max(1, limit), unread],
  });
  const feed = rows[0]!;
  const now = { epoch: feed.epoch, position: feed.feed_position };
  if (after.position > now.position) {
    await pool.query(RAISE_HIGH_WATER, [after.position]);
    throw new RolledBack(after.position, now.position);
  }
  if (after.epoch !== now.epoch) return { is: "epoch", now };
  const isBehindTrim = after.position < now.position && feed.position !== after.position + 1;
  // A reader that can do without the trimmed changes goes on from here, with the first change that is left.
  if (isBehindTrim) return { is: "epoch", now: { ...now, position: (feed.position ?? now.position + 1) - 1 } };
  const changes = rows.filter((row) => row.position !== null).map((row) => changeFrom(registry, row, unread));
  const more = after.position + changes.length < now.position;
  return { is: "changes", changes, databaseNow: feed.now, more };
}

function changeFrom<R extends Row, E extends EventMap, A extends string>(
  registry: Registry<R, E, A>,
  { position, kind, key, version, dns, at, actor, trace, row }: Pull,
  unread: readonly string[],
): Change<R, E> {
  const entry = {
    position: position!,
    kind,
    key,
    version,
    dns,
    at: Math.floor(at), // PostgreSQL counts microseconds
    actor,
    ...(trace !== null && { trace }),
  };
  if (isKindOf(registry.rows, kind) && !unread.includes(kind)) {
    return { ...entry, is: "row", kind, ...(row && { row: registry.rows[kind].read(row) }) };
  }
  if (row && isKindOf(registry.events, kind)) {
    // A union over the registered events: TypeScript cannot see that kind and event are of the same member.
    return { ...entry, is: "event", kind, event: registry.events[kind]!.read(row) } as Change<R, E>;
  }
  return { ...entry, is: "unread" };
}

function isKindOf<T extends object>(kinds: T, kind: string): kind is keyof T & string {
  return Object.hasOwn(kinds, kind);
}
