import type pg from "pg";

/** How long what was is kept, and how many rows of it at most: whichever comes first. */
export interface Keep {
  readonly tenancyDays: number;
  readonly tenancies: number;
  readonly auditDays: number;
  readonly audited: number;
  readonly sampleDays: number;
}

export const KEEP: Keep = {
  tenancyDays: 400,
  tenancies: 5_000_000,
  auditDays: 400,
  audited: 5_000_000,
  sampleDays: 90,
};

/** Most rows of a table in one go. */
const ROWS = 10_000;

/** A tenancy that goes on is never forgotten; there are as many of those as leases. The count is the planner's estimate. */
const TENANCIES = `
  DELETE FROM ipam.tenancy WHERE ctid IN (
    SELECT ctid FROM ipam.tenancy
    WHERE closed_at < CASE WHEN (SELECT reltuples FROM pg_class WHERE oid = 'ipam.tenancy'::regclass) > $2::float8
      THEN 'infinity' ELSE now() - make_interval(days => $1) END
    ORDER BY closed_at LIMIT ${ROWS})`;

const AUDIT = `
  DELETE FROM ipam.audit WHERE id IN (
    SELECT id FROM (SELECT id, at FROM ipam.audit ORDER BY id LIMIT ${ROWS}) oldest
    WHERE at < now() - make_interval(days => $1) OR id <= (SELECT max(id) FROM ipam.audit) - $2::bigint)`;

/** After two days one sample an hour is enough. */
const SAMPLES = `
  DELETE FROM ipam.utilisation WHERE (prefix, at) IN (
    SELECT prefix, at FROM ipam.utilisation WHERE at < now() - make_interval(days => $1)
      OR (at < now() - interval '2 days' AND at > now() - interval '3 days' AND extract(minute FROM at) >= 5)
    ORDER BY at LIMIT ${ROWS})`;

/** Forgets a bounded number of rows of each table; whether there may be more. */
export async function forget(client: pg.ClientBase, keep: Partial<Keep>): Promise<boolean> {
  const { tenancyDays, tenancies, auditDays, audited, sampleDays } = { ...KEEP, ...keep };
  const gone = [
    await client.query(TENANCIES, [tenancyDays, tenancies]),
    await client.query(AUDIT, [auditDays, audited]),
    await client.query(SAMPLES, [sampleDays]),
  ];
  return gone.some(({ rowCount }) => rowCount === ROWS);
}
