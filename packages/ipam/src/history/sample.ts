import { formatAddress } from "@firstlight/wire";
import type pg from "pg";
import type { PrefixRow } from "../model/model.ts";
import { type Json, rowFrom } from "../database/rows.ts";
import { KEPT_FOR_HOLDER } from "../policy/counted-on.ts";
import { assignableIn, type PoolUse, type Use } from "../usage/utilisation.ts";

/** A prefix as it was just counted. */
export interface Sample extends Use {
  readonly prefix: number;
  readonly pools: readonly PoolUse[];
}

const IS_DUE = `
  SELECT coalesce(max(at) <= now() - make_interval(secs => $1), true) AS due FROM ipam.utilisation`;

const COUNTS = `
    count(*) FILTER (WHERE l.is = 'bound')::int AS bound, count(*) FILTER (WHERE l.is = 'kept')::int AS kept,
    count(*) FILTER (WHERE l.is = 'resting')::int AS resting, count(*) FILTER (WHERE l.is = 'idle')::int AS idle`;

const LEASES = `(
    SELECT l.segment, l.address, CASE
      WHEN l.state = 'bound' AND l.expires_at > now() THEN 'bound'
      WHEN ${KEPT_FOR_HOLDER} THEN 'kept'
      WHEN l.reusable_at > now() THEN 'resting'
      ELSE 'idle' END AS is
    FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface
  ) l ON l.segment = p.segment`;

const COUNT = `
  SELECT to_jsonb(p) AS prefix, ${COUNTS}
  FROM ipam.prefix p LEFT JOIN ${LEASES} AND l.address <<= p.prefix::inet
  GROUP BY p.id ORDER BY p.id`;

const COUNT_POOLS = `
  SELECT p.id AS prefix, e.nth::int - 1 AS nth, ${COUNTS}
  FROM ipam.prefix p CROSS JOIN jsonb_array_elements(p.pools) WITH ORDINALITY e (pool, nth)
  LEFT JOIN ${LEASES} AND l.address BETWEEN (e.pool ->> 'first')::inet AND (e.pool ->> 'last')::inet
  WHERE p.pools <> '[]'
  GROUP BY p.id, e.nth ORDER BY p.id, e.nth`;

const KEEP = `
  INSERT INTO ipam.utilisation (prefix, at, assignable, bound, kept, resting, idle, pools)
  SELECT prefix, now(), assignable, bound, kept, resting, idle, pools
  FROM unnest($1::int[], $2::numeric[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::jsonb[])
    u (prefix, assignable, bound, kept, resting, idle, pools)
  ON CONFLICT DO NOTHING`;

/** Counts every prefix and keeps the counts, if the last time is so long ago; what was counted, else nothing. */
export async function sample(client: pg.ClientBase, everySeconds: number): Promise<Sample[]> {
  const { rows: due } = await client.query<{ due: boolean }>(IS_DUE, [everySeconds]);
  if (!due[0]!.due) return [];
  const { rows } = await client.query<Counts & { prefix: Json }>(COUNT);
  const { rows: pools } = await client.query<Counts & { prefix: number; nth: number }>(COUNT_POOLS);
  const samples = rows.map(({ prefix, ...counts }) => {
    const row = rowFrom("prefix", prefix);
    const own = pools.filter((one) => one.prefix === row.id);
    return { ...counts, prefix: row.id, exact: assignableIn(row), pools: own.map((one) => poolUse(row, one)) };
  });
  await client.query(KEEP, [
    samples.map((one) => one.prefix),
    samples.map((one) => String(one.exact)),
    samples.map((one) => one.bound),
    samples.map((one) => one.kept),
    samples.map((one) => one.resting),
    samples.map((one) => one.idle),
    samples.map(({ pools }) => (pools.length === 0 ? null : JSON.stringify(pools))),
  ]);
  return samples.map(({ exact, ...one }) => ({ ...one, assignable: Number(exact) }));
}

type Counts = Omit<Use, "assignable">;

function poolUse(row: PrefixRow, { nth, bound, kept, resting, idle }: Counts & { readonly nth: number }): PoolUse {
  const pool = row.pools![nth]!;
  const [from, to] = [formatAddress(pool.first), formatAddress(pool.last)];
  return { from, to, roles: pool.roles, assignable: Number(assignableIn(row, pool)), bound, kept, resting, idle };
}
