import { CHANNELS } from "./herald.ts";
import { LOCKS } from "./locks.ts";

/** The statements of the sequencer. Each is a transaction of its own. */

export const LOCK = `SELECT pg_try_advisory_lock(${LOCKS.sequencer}) AS won`;

/**
 * The outbox is short but may drag dead rows behind it for as long as somebody holds a transaction open: never walk it.
 * And a holder of the office whose machine is gone must lose it within seconds.
 */
export const AWAKE =
  "SET enable_seqscan = off; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";

const HERE = `
  SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline FROM pg_control_system()`;

/**
 * Whether the feed's last row was written by this very history of this very database: here, by the transaction it says,
 * and with no reader ahead of it. A feed that has not begun is nobody's copy. $1: the position this process has seen.
 */
export const SAME_HISTORY = `
  SELECT (f.position = 0 OR (f.xmin = f.written_by::xid
      AND (f.system_identifier, f.timeline, f.database) = (here.system_identifier, here.timeline, ipam.database_oid())))
    AND f.position >= $1::bigint AND NOT EXISTS (SELECT FROM ipam.witness w WHERE w.position > f.position) AS same
  FROM (SELECT xmin, * FROM ipam.feed ORDER BY position DESC LIMIT 1) f, (${HERE}) here`;

/**
 * What positions meant before cannot be trusted: some that readers saw may be lost. Positions go on far ahead, so that
 * serials never go back. What waits in the outbox is in the tables that everybody now loads; it gets the first positions,
 * because the events of leases are read off the feed and nowhere else.
 */
export const ENTER_EPOCH = `
  WITH gone AS (DELETE FROM ipam.change_pending RETURNING version, kind, key, dns, "row", actor, trace, at),
  heard AS (DELETE FROM ipam.witness RETURNING position),
  base AS MATERIALIZED (
    SELECT max(position) + 1048576 AS position, gen_random_uuid() AS epoch
    FROM (SELECT position FROM ipam.feed UNION ALL SELECT position FROM heard UNION ALL SELECT $1::bigint) p
  ), kept AS (
    INSERT INTO ipam.change (position, version, kind, key, dns, "row", actor, trace, at)
    SELECT b.position + row_number() OVER (ORDER BY g.version), g.* FROM gone g, base b
  )
  INSERT INTO ipam.feed (position, dns_position, epoch, system_identifier, timeline, seen)
  SELECT at.position, at.position, b.epoch, here.system_identifier, here.timeline, pg_current_snapshot()
  FROM base b, (${HERE}) here, LATERAL (SELECT b.position + (SELECT count(*) FROM gone)) at (position)
  RETURNING epoch, position`;

/**
 * Takes what committed since the last round and gives it the next positions. Committed since then means: visible now, and
 * begun after the last snapshot or in progress in it. That needs no order of commits and no patience with transactions that
 * stay open, and it costs only what is new: the index is entered behind everything that was seen.
 * By version, so that the changes of one row keep their order. Readers are told by the same commit: the lock that NOTIFY
 * takes until then is nobody's but of those who tell the sequencer, and they wait for no disk.
 */
export const SEQUENCE = `
  WITH f AS MATERIALIZED (
    SELECT * FROM ipam.feed ORDER BY position DESC LIMIT 1
  ), taken AS (
    DELETE FROM ipam.change_pending
    WHERE xid >= (SELECT pg_snapshot_xmax(seen) FROM f) OR xid = ANY (ARRAY(SELECT pg_snapshot_xip(seen) FROM f))
    RETURNING version, kind, key, dns, "row", actor, trace, at
  ), kept AS (
    INSERT INTO ipam.change (position, version, kind, key, dns, "row", actor, trace, at)
    SELECT (SELECT position FROM f) + row_number() OVER (ORDER BY version), version, kind, key, dns, "row", actor, trace, at FROM taken
    RETURNING position, dns
  ), round AS MATERIALIZED (
    SELECT count(*) AS count, max(position) AS position, max(position) FILTER (WHERE dns) AS dns_position FROM kept
  ), mark AS (
    INSERT INTO ipam.feed (position, dns_position, epoch, system_identifier, timeline, seen)
    SELECT r.position, coalesce(r.dns_position, f.dns_position), f.epoch, f.system_identifier, f.timeline, pg_current_snapshot()
    FROM f, round r WHERE r.count > 0
  )
  SELECT count, CASE WHEN count > 0 THEN pg_notify('${CHANNELS.feed}', '') END AS told FROM round`;

/**
 * Forgets what lies below a position, a bounded number of rows at a time, and says up to where. Begins at the floor it
 * reached before: what it deleted may lie there as dead rows for long.
 */
const trim = (table: string): string => `
  WITH old AS (
    DELETE FROM ${table} WHERE position IN (
      SELECT position FROM ${table} WHERE position >= $1::bigint AND position < $2::bigint ORDER BY position LIMIT $3::int)
    RETURNING position
  )
  SELECT max(position) + 1 AS floor FROM old`;

export const TRIM_CHANGES = trim("ipam.change");
export const TRIM_FEED = trim("ipam.feed");
export const FEED_AT = "SELECT position FROM ipam.feed ORDER BY position DESC LIMIT 1";
