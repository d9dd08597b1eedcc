/**
 * The statements of a lease batch. Each takes arrays, one element per row, sorted by key, so that all writers lock in one order.
 * No plan depends on statistics (`planner.ts`): each look-up is a subquery of its own (`OFFSET 0` keeps it one) that an index
 * answers, and arrays are joined by hash.
 */
import { appendFrom } from "@firstlight/changefeed";
import { IDENTITY_TYPES, type IdentityColumn } from "../../database/rows.ts";

/** A statement for interfaces with a MAC and one for those with another identity: a batch turn holds one kind. */
function byIdentity(text: (column: IdentityColumn, type: string) => string): Readonly<Record<IdentityColumn, string>> {
  return { mac: text("mac", IDENTITY_TYPES.mac), identity: text("identity", IDENTITY_TYPES.identity) };
}

/** Devices are declared by their MAC: what is declared for one is another client's where the client is known by something else. */
function isAnother(column: IdentityColumn, declared: string): string {
  return column === "mac" ? `${declared} <> k.client` : `${declared} IS NOT NULL`;
}

function isDeclaredFor(column: IdentityColumn): string {
  return column === "mac" ? "mac = k.client" : "false";
}

/** Planner settings for MOVE and GIVE_BACK: each row to update is found by its key. */
export const BY_KEY = "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off";

/** Locks the interfaces of a batch, so that two writers never decide about one interface at the same time. */
export const LOCK_INTERFACES = byIdentity(
  (column, type) => `
  SELECT e.id AS edition, count(i.id) AS locked FROM ipam.edition e LEFT JOIN (
    SELECT i.id FROM unnest($1::int[], $2::${type}[]) k (segment, client), LATERAL (
      SELECT id FROM ipam.interface WHERE segment = k.segment AND ${column} = k.client OFFSET 0 FOR NO KEY UPDATE) i
  ) i ON true WHERE e.one GROUP BY e.id`,
);

/** Reads the facts of each request's device and address. A request about which no table has anything has no row. */
export const FACTS = byIdentity(
  (column, type) => `
  SELECT k.n::int AS n, i.id, i.role, i.machine, i.label, i.identified_by, i.state AS interface_state, i.version,
    e.machine AS expected_machine, e.serial AS expected_serial, e.role AS expected_role, e.label AS expected_label,
    coalesce(e.address = k.address, false) AS declared, coalesce(${isAnother(column, "c.mac")}, false) AS claimed,
    r.identity AS reserved, coalesce(r.here, false) AS reserved_here, r.origin AS reserved_origin, coalesce(h.own, false) AS own,
    h.interface AS holder, h.state, coalesce(h.expires_at <= now(), false) AS expired,
    coalesce(h.reusable_at <= now(), true) AS rested, h.policy AS holder_policy,
    CASE WHEN h.interface = i.id THEN i.machine ELSE (SELECT machine FROM ipam.interface WHERE id = h.interface) END IS NOT NULL AS referenced,
    -- Who is new has no other, and who renews neither.
    CASE WHEN i.id IS NOT NULL AND (h.interface = i.id AND h.state = 'bound') IS NOT TRUE THEN (
      SELECT jsonb_agg(jsonb_build_array(host(l.address), l.policy, l.state = 'bound',
        coalesce((SELECT ${isAnother(column, "o.mac")} FROM ipam.expected_device o WHERE o.address = l.address), false)
          OR coalesce((SELECT o.segment <> k.segment FROM ipam.reservation o WHERE o.vrf = l.vrf AND o.address = l.address), false),
        (SELECT o.identity FROM ipam.reservation o WHERE o.vrf = l.vrf AND o.address = l.address))) FROM ipam.lease l
      WHERE l.interface = i.id AND ipam.address_class(l.address) = ipam.address_class(k.address)
        AND l.iaid IS NOT DISTINCT FROM k.iaid AND l.address <> k.address
        AND (l.state = 'bound' OR (l.state = 'released' AND l.policy <> 'dynamic'))
    ) END AS others,
    w.home IS NOT NULL AS elsewhere
  FROM unnest($1::int[], $2::${type}[], $3::inet[], $4::int8[]) WITH ORDINALITY k (segment, client, address, iaid, n)
  LEFT JOIN LATERAL (SELECT vrf FROM ipam.segment WHERE id = k.segment OFFSET 0) s ON true
  LEFT JOIN LATERAL (
    SELECT id, role, machine, label, identified_by, state, version FROM ipam.interface
    WHERE segment = k.segment AND ${column} = k.client OFFSET 0
  ) i ON true
  LEFT JOIN LATERAL (
    SELECT machine, serial, role, label, address FROM ipam.expected_device WHERE ${isDeclaredFor(column)} OFFSET 0
  ) e ON true
  LEFT JOIN LATERAL (SELECT mac FROM ipam.expected_device WHERE address = k.address OFFSET 0) c ON true
  LEFT JOIN LATERAL (
    SELECT interface, state, policy, expires_at, reusable_at, segment = k.segment AND ${column} = k.client AS own
    FROM ipam.lease WHERE vrf = s.vrf AND address = k.address OFFSET 0
  ) h ON true
  LEFT JOIN LATERAL (
    SELECT identity, origin, segment = k.segment AS here FROM ipam.reservation WHERE vrf = s.vrf AND address = k.address OFFSET 0
  ) r ON true
  LEFT JOIN LATERAL (
    SELECT id AS home FROM ipam.interface
    WHERE ${column} = k.client AND segment <> k.segment AND state IS DISTINCT FROM 'away' AND (i.id IS NULL OR i.state IS NOT NULL)
    LIMIT 1
  ) w ON true
  WHERE coalesce(i.id, h.interface, w.home) IS NOT NULL OR coalesce(e.machine, r.identity) IS NOT NULL OR c.mac IS NOT NULL`,
);

/** Inserts interfaces. The row is missing if its label is taken or another writer has created the interface. */
export const INSERT_INTERFACES = byIdentity(
  (column, type) => `
  WITH made AS (
    INSERT INTO ipam.interface AS i (segment, ${column}, domain, role, machine, label, identified_by)
    SELECT * FROM unnest($2::int[], $3::${type}[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[])
    ON CONFLICT DO NOTHING
    RETURNING id, segment, ${column} AS client, label, version, id::text AS key, false AS dns, to_jsonb(i) AS "row", NULL AS trace
  ), noted AS (${appendFrom("interface", "made")})
  SELECT id, segment, client::text AS client, label, version FROM made`,
);

/** Deletes interfaces together with this transaction's changes about them. */
export const FORGET_INTERFACES = `
  WITH gone AS (DELETE FROM ipam.interface WHERE id = ANY ($1) RETURNING version)
  DELETE FROM ipam.change_pending WHERE xid = pg_current_xact_id() AND kind = 'interface' AND version IN (SELECT version FROM gone)`;

/** Instants as microseconds since 1970: exact, and cheaper than their text. */
const TIMES = ["starts_at", "expires_at", "reusable_at"]
  .map((column) => `(date_part('epoch', ${column}) * 1000000)::int8 AS ${column}`)
  .join(", ");

/**
 * A quarantine is never shortened, neither by a release nor by a shorter lease: a dhcpd without the database may have acknowledged the
 * address to its holder up to the end that it knew.
 *
 * The condition on the locked row decides: an existing lease is taken over only if it is this interface's (which may have been deleted and
 * created again), or its quarantine is over and nothing references it, or the address is reserved for the client's port. A request
 * without a row in the result has lost.
 */
export const BIND = `
  WITH given AS (
    SELECT * FROM unnest($2::text[], $3::inet[], $4::int[], $5::int[], $6::macaddr[], $7::text[], $8::int[], $9::int[],
      $10::bytea[], $11::inet[], $12::bytea[], $13::bytea[], $14::boolean[], $15::text[], $16::boolean[], $17::boolean[], $18::text[], $19::int8[])
      WITH ORDINALITY g (vrf, address, segment, interface, mac, policy, lease_seconds, grace_seconds, client_id, giaddr,
        circuit_id, remote_id, dns, trace, declared, preempts, identity, iaid, n)
  ), put AS (
    INSERT INTO ipam.lease AS l (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at,
      client_id, giaddr, circuit_id, remote_id, identity, iaid)
    SELECT vrf, address, segment, interface, mac, policy, 'bound', now(), now() + make_interval(secs => lease_seconds),
      now() + make_interval(secs => lease_seconds::float8 + grace_seconds), client_id, giaddr, circuit_id, remote_id,
      identity, iaid
    FROM given
    ON CONFLICT (vrf, address) DO UPDATE SET
      segment = excluded.segment, interface = excluded.interface, mac = excluded.mac, policy = excluded.policy, state = 'bound',
      starts_at = CASE WHEN l.interface = excluded.interface AND l.state = 'bound' THEN l.starts_at ELSE excluded.starts_at END,
      expires_at = excluded.expires_at, reusable_at = greatest(l.reusable_at, excluded.reusable_at), client_id = excluded.client_id,
      giaddr = excluded.giaddr, circuit_id = excluded.circuit_id, remote_id = excluded.remote_id,
      identity = excluded.identity, iaid = excluded.iaid, version = nextval('ipam.version')
    WHERE (l.segment = excluded.segment AND (l.mac = excluded.mac OR l.identity = excluded.identity) AND (l.state <> 'declined' OR l.reusable_at <= now()))
      OR (l.reusable_at <= now()
        AND (l.policy = 'dynamic' OR (excluded.vrf, excluded.address) IN (SELECT vrf, address FROM given WHERE declared))
        AND (SELECT h.machine FROM ipam.interface h WHERE h.id = l.interface) IS NULL)
      OR ((l.state <> 'declined' OR l.reusable_at <= now())
        AND (excluded.vrf, excluded.address) IN (SELECT vrf, address FROM given WHERE preempts))
    RETURNING vrf, address, version, starts_at, expires_at, reusable_at, to_jsonb(l) AS "row"
  ), told AS MATERIALIZED (
    SELECT given.n, put.version, put.vrf || '/' || abbrev(put.address) AS key, given.dns, put."row", given.trace,
      starts_at, expires_at, reusable_at
    FROM put JOIN given USING (vrf, address)
  ), noted AS (${appendFrom("lease", "told")})
  SELECT n::int AS n, version, ${TIMES} FROM told`;

/** Releases the addresses that the interface leaves. */
export const MOVE = `
  WITH put AS (
    UPDATE ipam.lease l SET state = 'released', expires_at = least(l.expires_at, now()),
      reusable_at = greatest(l.reusable_at, now() + make_interval(secs => g.grace_seconds)), version = nextval('ipam.version')
    FROM unnest($2::int[], $3::inet[], $4::int[], $5::text[], $6::int8[]) g (interface, keep, grace_seconds, trace, iaid)
    WHERE l.interface = g.interface AND l.state = 'bound' AND ipam.address_class(l.address) = ipam.address_class(g.keep)
      AND l.iaid IS NOT DISTINCT FROM g.iaid AND l.address <> g.keep
    RETURNING l.version, l.vrf || '/' || abbrev(l.address) AS key, to_jsonb(l) AS "row", true AS dns, g.trace
  ), noted AS (${appendFrom("lease", "put")})
  SELECT "row" FROM put`;

export const GIVE_BACK = `
  WITH put AS (
    UPDATE ipam.lease l SET state = g.state, expires_at = least(l.expires_at, now()),
      reusable_at = greatest(l.reusable_at, now() + make_interval(secs => g.grace_seconds)), version = nextval('ipam.version')
    FROM unnest($2::text[], $3::inet[], $4::int[], $5::text[], $6::int[], $7::text[]) g (vrf, address, interface, state, grace_seconds, trace)
    WHERE l.vrf = g.vrf AND l.address = g.address AND l.interface = g.interface AND l.state = 'bound'
    RETURNING l.version, l.vrf || '/' || abbrev(l.address) AS key, to_jsonb(l) AS "row", true AS dns, g.trace
  ), noted AS (${appendFrom("lease", "put")})
  SELECT "row" FROM put`;
