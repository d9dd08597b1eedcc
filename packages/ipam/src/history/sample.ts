import type pg from "pg";
import { type Json, rowFrom } from "../store/rows.ts";
import { assignableIn, type Use } from "../utilisation.ts";

/** A prefix as it was just counted. */
export interface Sample extends Use {
  readonly prefix: number;
}

const IS_DUE = `
  SELECT coalesce(max(at) <= now() - make_interval(secs => $1), true) AS due FROM ipam.utilisation`;

const COUNT = `
  SELECT to_jsonb(p) AS prefix,
    count(*) FILTER (WHERE l.is = 'bound')::int AS bound, count(*) FILTER (WHERE l.is = 'kept')::int AS kept,
    count(*) FILTER (WHERE l.is = 'resting')::int AS resting, count(*) FILTER (WHERE l.is = 'idle')::int AS idle
  FROM ipam.prefix p
  LEFT JOIN (
    SELECT l.segment, l.address, CASE
      WHEN l.state = 'bound' AND l.expires_at > now() THEN 'bound'
      WHEN l.policy <> 'dynamic' OR i.machine IS NOT NULL THEN 'kept'
      WHEN l.reusable_at > now() THEN 'resting'
      ELSE 'idle' END AS is
    FROM ipam.lease l LEFT JOIN ipam.interface i ON i.id = l.interface
  ) l ON l.segment = p.segment AND l.address <<= p.prefix::inet
  GROUP BY p.id ORDER BY p.id`;

const KEEP = `
  INSERT INTO ipam.utilisation (prefix, at, assignable, bound, kept, resting, idle)
  SELECT prefix, now(), assignable, bound, kept, resting, idle
  FROM unnest($1::int[], $2::numeric[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
    u (prefix, assignable, bound, kept, resting, idle)
  ON CONFLICT DO NOTHING`;

/** Counts every prefix and keeps the counts, if the last time is so long ago; what was counted, else nothing. */
export async function sample(client: pg.ClientBase, everySeconds: number): Promise<Sample[]> {
  const { rows: due } = await client.query<{ due: boolean }>(IS_DUE, [everySeconds]);
  if (!due[0]!.due) return [];
  const { rows } = await client.query<{ prefix: Json; bound: number; kept: number; resting: number; idle: number }>(
    COUNT,
  );
  const samples = rows.map(({ prefix, ...counts }) => {
    const row = rowFrom("prefix", prefix);
    return { ...counts, prefix: row.id, exact: assignableIn(row) };
  });
  await client.query(KEEP, [
    samples.map((one) => one.prefix),
    samples.map((one) => String(one.exact)),
    samples.map((one) => one.bound),
    samples.map((one) => one.kept),
    samples.map((one) => one.resting),
    samples.map((one) => one.idle),
  ]);
  return samples.map(({ exact, ...one }) => ({ ...one, assignable: Number(exact) }));
}
