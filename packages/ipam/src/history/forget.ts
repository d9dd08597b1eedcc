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

const OLD_SAMPLES = `
  DELETE FROM ipam.utilisation WHERE (prefix, at) IN (
    SELECT prefix, at FROM ipam.utilisation WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT ${ROWS})`;

/** After two days the first sample of an hour is enough. */
const THIN = `
  DELETE FROM ipam.utilisation u WHERE u.at < now() - interval '2 days' AND u.at > now() - interval '3 days'
    AND EXISTS (
      SELECT FROM ipam.utilisation e WHERE e.prefix = u.prefix AND e.at >= date_trunc('hour', u.at) AND e.at < u.at)`;

/** Forgets a bounded number of rows of each table; whether there may be more. */
export async function forget(client: pg.ClientBase, keep: Partial<Keep>): Promise<boolean> {
  const { tenancyDays, tenancies, auditDays, audited } = { ...KEEP, ...keep };
  const gone = [
    await client.query(TENANCIES, [tenancyDays, tenancies]),
    await client.query(AUDIT, [auditDays, audited]),
  ];
  return gone.some(({ rowCount }) => rowCount === ROWS);
}

/** The same for samples, each time that some were taken. */
export async function forgetSamples(client: pg.ClientBase, keep: Partial<Keep>): Promise<void> {
  await client.query(OLD_SAMPLES, [keep.sampleDays ?? KEEP.sampleDays]);
  await client.query(THIN);
}
