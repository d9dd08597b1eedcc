import type pg from "pg";
import { forecast, type PoolUse, type Utilisation } from "../usage/utilisation.ts";

/** The leases and reservations of a prefix that still use it, by key. */
const REMAINDER = `
  SELECT count(*)::float8 FROM (
    SELECT l.address FROM ipam.lease l
    WHERE l.vrf = p.vrf AND l.address BETWEEN host(network(p.prefix))::inet AND host(broadcast(p.prefix))::inet
      AND l.state = 'bound' AND l.expires_at > now()
    UNION SELECT r.address FROM ipam.reservation r WHERE r.vrf = p.vrf AND r.address <<= p.prefix::inet
  ) left_over`;

/** The newest sample of each prefix, and the line through those of the window. */
const TREND = `
  SELECT s.name AS segment, p.vrf, p.prefix::text, floor(extract(epoch FROM u.at) * 1000)::float8 AS at,
    u.assignable::float8, u.bound::float8, u.kept::float8, u.resting::float8, u.idle::float8,
    u.pools, CASE WHEN 'draining' IN (s.state, p.state) THEN (${REMAINDER}) END AS remainder, t.per_day, t.samples, t.hours
  FROM ipam.prefix p
  JOIN ipam.segment s ON s.id = p.segment
  JOIN LATERAL (SELECT * FROM ipam.utilisation WHERE prefix = p.id ORDER BY at DESC LIMIT 1) u ON true
  JOIN LATERAL (
    SELECT regr_slope(w.bound + w.kept + w.resting, extract(epoch FROM w.at)::float8) * 86400 AS per_day,
      count(*)::float8 AS samples, (extract(epoch FROM max(w.at) - min(w.at)) / 3600)::float8 AS hours
    FROM ipam.utilisation w WHERE w.prefix = p.id AND w.at > u.at - make_interval(days => $1)
  ) t ON true
  ORDER BY s.name, p.prefix`;

interface Trend extends Omit<Utilisation, "perDay" | "daysToExhaustion" | "because" | "pools" | "remainder"> {
  readonly pools: readonly PoolUse[] | null;
  readonly remainder: number | null;
  readonly per_day: number | null;
  readonly samples: number;
  readonly hours: number;
}

export async function utilisation(pool: pg.Pool, trendDays: number): Promise<Utilisation[]> {
  const { rows } = await pool.query<Trend>(TREND, [trendDays]);
  return rows.map(({ per_day: perDay, samples, hours, pools, remainder, ...use }) => ({
    ...use,
    ...(pools && { pools }),
    ...(remainder !== null && { remainder }),
    ...forecast(use, { perDay, samples, hours }),
  }));
}
