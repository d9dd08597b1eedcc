import { CHANNELS, TABLES } from "./place.ts";

/**
 * Takes what committed since the last round and gives it the next positions. Committed since then means: visible now, and
 * begun after the last snapshot or in progress in it. That needs no order of commits and no wait for transactions that
 * stay open, and it costs only what is new: the scan of the index begins behind everything that was seen.
 * By version, so that the changes of one row keep their order. Readers are notified by the same commit: only those who
 * notify the sequencer compete for the lock that NOTIFY takes until then, and they wait for no disk.
 */
export const SEQUENCE = `
  WITH f AS MATERIALIZED (
    SELECT * FROM ${TABLES.head} ORDER BY position DESC LIMIT 1
  ), taken AS (
    DELETE FROM ${TABLES.outbox}
    WHERE xid >= (SELECT pg_snapshot_xmax(seen) FROM f) OR xid = ANY (ARRAY(SELECT pg_snapshot_xip(seen) FROM f))
    RETURNING version, kind, key, dns, "row", actor, trace, at
  ), kept AS (
    INSERT INTO ${TABLES.log} (position, version, kind, key, dns, "row", actor, trace, at)
    SELECT (SELECT position FROM f) + row_number() OVER (ORDER BY version), version, kind, key, dns, "row", actor, trace, at FROM taken
    RETURNING position, dns
  ), round AS MATERIALIZED (
    SELECT count(*) AS count, max(position) AS position, max(position) FILTER (WHERE dns) AS dns_position FROM kept
  ), mark AS (
    INSERT INTO ${TABLES.head} (position, dns_position, epoch, system_identifier, timeline, seen)
    SELECT r.position, coalesce(r.dns_position, f.dns_position), f.epoch, f.system_identifier, f.timeline, pg_current_snapshot()
    FROM f, round r WHERE r.count > 0
  )
  SELECT count, CASE WHEN count > 0 THEN pg_notify('${CHANNELS.feed}', '') END AS notified FROM round`;
