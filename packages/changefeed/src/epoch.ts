import { DATABASE_OID, TABLES } from "./place.ts";

/** How a restore or failover is noticed, and what begins then. See docs/adr/0012. */

const HERE = `
  SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline FROM pg_control_system()`;

/**
 * Whether the feed's last row was written by this very history of this very database: in this cluster and database, by
 * the transaction that the row names, and with no reader ahead of it. A feed without changes is no copy. $1: the highest
 * position that this process has seen.
 */
export const SAME_HISTORY = `
  SELECT (f.position = 0 OR (f.xmin = f.written_by::xid
      AND (f.system_identifier, f.timeline, f.database) = (here.system_identifier, here.timeline, ${DATABASE_OID})))
    AND f.position >= $1::bigint
    AND NOT EXISTS (SELECT FROM ${TABLES.highWater} w WHERE w.position > f.position) AS same
  FROM (SELECT xmin, * FROM ${TABLES.head} ORDER BY position DESC LIMIT 1) f, (${HERE}) here`;

/**
 * Begins a new epoch: earlier positions have no meaning any more, because some that readers saw may be lost. Positions go
 * on 2^20 beyond the highest known one, so that serials never go back. What waits in the outbox is in the tables that all
 * readers now load; it gets the first positions of the epoch, because events of leases are read from the feed alone.
 */
export const BEGIN_EPOCH = `
  WITH gone AS (DELETE FROM ${TABLES.outbox} RETURNING version, kind, key, dns, "row", actor, trace, at),
  high_water AS (DELETE FROM ${TABLES.highWater} RETURNING position),
  base AS MATERIALIZED (
    SELECT max(position) + 1048576 AS position, gen_random_uuid() AS epoch
    FROM (SELECT position FROM ${TABLES.head} UNION ALL SELECT position FROM high_water UNION ALL SELECT $1::bigint) p
  ), kept AS (
    INSERT INTO ${TABLES.log} (position, version, kind, key, dns, "row", actor, trace, at)
    SELECT b.position + row_number() OVER (ORDER BY g.version), g.* FROM gone g, base b
  )
  INSERT INTO ${TABLES.head} (position, dns_position, epoch, system_identifier, timeline, seen)
  SELECT at.position, at.position, b.epoch, here.system_identifier, here.timeline, pg_current_snapshot()
  FROM base b, (${HERE}) here, LATERAL (SELECT b.position + (SELECT count(*) FROM gone)) at (position)
  RETURNING epoch, position`;
