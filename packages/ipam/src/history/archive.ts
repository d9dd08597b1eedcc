import type pg from "pg";
import { integer, oneOf, optional, rowOf, text } from "../database/columns.ts";
import { RELOCATIONS, type Relocation } from "../fields/lists.ts";

/** What one round did. */
export interface Archived {
  /** Changes of the feed taken in. */
  readonly changes: number;
  /** Devices that arrived somewhere, by what is told of them. */
  readonly arrived: readonly (readonly [Relocation, number])[];
  /** Why the trail has a hole here, where it has one. */
  readonly because?: string;
  readonly more: boolean;
}

/** Where the chronicle stands, where the feed does, and which changes come next. */
const AT = `
  SELECT c.epoch AS own_epoch, c.position AS own, f.epoch, f.position AS feed, n.first, n.last, n.count
  FROM (SELECT epoch, position FROM ipam.feed ORDER BY position DESC LIMIT 1) f
  LEFT JOIN ipam.chronicle c ON true
  LEFT JOIN LATERAL (
    SELECT min(position) AS first, max(position) AS last, count(*) AS count
    FROM (SELECT position FROM ipam.change WHERE position > coalesce(c.position, 0) ORDER BY position LIMIT $1) p
  ) n ON true`;

const AT_ROW = rowOf("place of the chronicle", {
  own_epoch: optional(text),
  own: optional(integer),
  epoch: text,
  feed: integer,
  first: optional(integer),
  last: optional(integer),
  count: integer,
});
type At = ReturnType<typeof AT_ROW>;

const COLUMNS =
  "vrf, address, starts_at, expires_at, closed_at, state, segment, interface, mac, machine, giaddr, circuit_id, remote_id, identity, iaid";

/** Whose the interface `i` of a lease `l` is: the machine of one that is away has gone with its device. */
export const MACHINE = `coalesce(i.machine, CASE WHEN i.state = 'away' THEN (
    SELECT o.machine FROM ipam.interface o WHERE (o.mac = l.mac OR o.identity = l.identity) AND o.machine IS NOT NULL LIMIT 1) END)`;

/** Takes leases in as tenancies. `starts_at` of a lease stays through its renewals, so it names the tenancy. */
const tenancies = (leases: string): string => `
  INSERT INTO ipam.tenancy AS t (${COLUMNS})
  SELECT l.vrf, l.address, l.starts_at, l.expires_at, CASE WHEN l.state <> 'bound' THEN l.expires_at END, l.state,
    l.segment, l.interface, l.mac, ${MACHINE}, l.giaddr, l.circuit_id, l.remote_id, l.identity, l.iaid
  FROM (${leases}) l LEFT JOIN ipam.interface i ON i.id = l.interface
  ON CONFLICT (vrf, address, starts_at) DO UPDATE SET expires_at = excluded.expires_at, closed_at = excluded.closed_at,
    state = excluded.state, machine = coalesce(excluded.machine, t.machine), giaddr = excluded.giaddr,
    circuit_id = excluded.circuit_id, remote_id = excluded.remote_id`;

const LEASES = `
  SELECT DISTINCT ON (l.vrf, l.address, l.starts_at) l.*
  FROM ipam.change c, jsonb_populate_record(NULL::ipam.lease, c."row") l
  WHERE c.position > $1 AND c.position <= $2 AND c.kind = 'lease' AND c."row" IS NOT NULL
  ORDER BY l.vrf, l.address, l.starts_at, c.position DESC`;

/** A tenancy ends when the next one of its address begins, unless it was over before. A plain renewal begins none. */
const SUPERSEDED = `
  UPDATE ipam.tenancy t SET closed_at = least(t.expires_at, (
    SELECT min(n.starts_at) FROM ipam.tenancy n WHERE n.vrf = t.vrf AND n.address = t.address AND n.starts_at > t.starts_at))
  FROM (
    SELECT l.vrf, l.address, max(l.starts_at) AS starts_at
    FROM ipam.change c, jsonb_populate_record(NULL::ipam.lease, c."row") l
    WHERE c.position > $1 AND c.position <= $2 AND c.kind = 'lease' AND c."row" IS NOT NULL AND c.dns
    GROUP BY l.vrf, l.address
  ) l
  WHERE t.vrf = l.vrf AND t.address = l.address AND t.starts_at < l.starts_at AND t.closed_at IS NULL`;

const DELETED = `
  UPDATE ipam.tenancy t SET closed_at = least(t.expires_at, c.at)
  FROM ipam.change c
  WHERE c.position > $1 AND c.position <= $2 AND c.kind = 'lease' AND c."row" IS NULL AND t.closed_at IS NULL
    AND t.vrf = regexp_replace(c.key, '/[^/]*$', '') AND t.address = substring(c.key from '[^/]*$')::inet AND t.starts_at <= c.at`;

/** A renewal that changes nothing else is in its tenancy, not here. Arrivals are counted on the way. */
const AUDIT = `
  WITH put AS (
  INSERT INTO ipam.audit (position, at, actor, kind, key, version, "row", trace)
  SELECT position, at, actor, kind, key, version, "row", trace FROM ipam.change
  WHERE position > $1 AND position <= $2 AND NOT (kind = 'lease' AND NOT dns AND "row" IS NOT NULL)
  ORDER BY position
  RETURNING CASE WHEN kind = 'arrival' THEN "row" ->> 'is' END AS news
  ) SELECT news AS "is", count(*)::int AS count FROM put WHERE news IS NOT NULL GROUP BY 1`;

const ARRIVED_ROW = rowOf("arrivals of a batch", {
  is: oneOf(RELOCATIONS),
  count: integer,
});

/** The leases as they stand close what nobody told the end of. */
const STALE = `
  UPDATE ipam.tenancy t SET closed_at = least(t.expires_at, now()) WHERE t.closed_at IS NULL
    AND NOT EXISTS (SELECT FROM ipam.lease l WHERE l.vrf = t.vrf AND l.address = t.address AND l.starts_at = t.starts_at)`;

const HOLE = `
  INSERT INTO ipam.audit (position, at, actor, kind, key, version, "row")
  VALUES ($1, clock_timestamp(), 'sequencer', 'feed', $2, 0, jsonb_build_object('because', $3::text))`;

const MARK = `
  INSERT INTO ipam.chronicle (epoch, position) VALUES ($1, $2)
  ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, position = excluded.position`;

/**
 * Takes the next changes of the feed into history and audit, in a transaction that its caller opened and holds the
 * chronicle's lock in. What is missing in the feed is caught up with from the leases as they stand, and said in the audit.
 */
export async function archive(client: pg.ClientBase, limit: number): Promise<Archived> {
  const { rows } = await client.query({ name: "chronicle-at", text: AT, values: [limit] });
  const at = AT_ROW(rows[0]);
  const because = holeIn(at);
  let own = at.own ?? 0;
  if (because !== undefined) {
    own = at.first === undefined ? at.feed : at.first - 1;
    await client.query(tenancies("SELECT * FROM ipam.lease"));
    await client.query(STALE);
    await client.query(HOLE, [own, at.epoch, because]);
  }
  const last = at.last ?? own;
  let arrived: Archived["arrived"] = [];
  if (at.count > 0) {
    const { rows: counted } = await client.query(AUDIT, [own, last]);
    arrived = counted.map(ARRIVED_ROW).map(({ is, count }) => [is, count] as const);
    for (const statement of [tenancies(LEASES), SUPERSEDED, DELETED]) await client.query(statement, [own, last]);
  }
  if (at.count > 0 || because !== undefined) await client.query(MARK, [at.epoch, last]);
  return { changes: at.count, arrived, more: at.count === limit, ...(because !== undefined && { because }) };
}

function holeIn({ own_epoch, own, epoch, feed, first }: At): string | undefined {
  if (own === undefined) return "history begins";
  if (own_epoch !== epoch) return "a new epoch began (restore, failover)";
  if (first === undefined) return own < feed ? "changes were trimmed before they were taken in" : undefined;
  return first === own + 1 ? undefined : "changes were trimmed before they were taken in";
}
