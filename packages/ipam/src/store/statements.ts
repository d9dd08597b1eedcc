/**
 * The statements of a lease batch. Each takes arrays, one element per row, sorted by key: all writers lock in one order.
 *
 * A plan made while the tables were empty lives as long as its connection, and tables grow without telling it: measured,
 * 2 ms an address instead of 50 µs. So nothing here hangs on what the planner guesses: each look-up is a subquery of its
 * own (`OFFSET 0` keeps it one) that an index answers, and arrays meet by hash.
 */
export const PLAIN = [
  "plan_cache_mode = force_generic_plan",
  "jit = off",
  "enable_seqscan = off",
  "enable_mergejoin = off",
  "enable_nestloop = off",
];

/** Before MOVE and GIVE_BACK: rows to update are found by key, one by one. */
export const BY_KEY = "SET LOCAL enable_nestloop = on; SET LOCAL enable_hashjoin = off";

/** Every bind and give-back of one interface passes here, so two writers never decide about the same one at once. */
export const LOCK_INTERFACES = `
  SELECT i.id FROM unnest($1::int[], $2::macaddr[]) k (segment, mac), LATERAL (
    SELECT id FROM ipam.interface WHERE segment = k.segment AND mac = k.mac OFFSET 0 FOR NO KEY UPDATE) i`;

export const FACTS = `
  SELECT s.vrf, s.domain, s.admission, s.allocation, s.policy, s.naming, s.grace_seconds,
    i."row" AS interface, e."row" AS expected,
    coalesce(a.assignable, false) AS assignable, coalesce(a.draining OR s.state = 'draining', false) AS draining,
    CASE WHEN a.pooled THEN ipam.suits(k.segment, coalesce(e."row" ->> 'role', i."row" ->> 'role', 'other'), k.address) ELSE true END AS suits,
    coalesce(e.address = k.address, false) AS declared,
    coalesce((SELECT c.mac FROM ipam.expected_device c WHERE c.address = k.address) <> k.mac, false) AS claimed,
    r.identity AS reserved, r.origin AS reserved_origin, coalesce(h.segment = k.segment AND h.mac = k.mac, false) AS own,
    h.interface AS holder, h.state, coalesce(h.expires_at <= now(), false) AS expired,
    coalesce(h.reusable_at <= now(), true) AS rested, h.policy AS holder_policy, h.machine IS NOT NULL AS referenced,
    o.policy AS other_policy, coalesce(o.state = 'bound', false) AS other_bound,
    CASE WHEN i.id IS NULL OR i.state IS NOT NULL THEN EXISTS (
      SELECT FROM ipam.interface e WHERE e.mac = k.mac AND e.segment <> k.segment AND e.state IS DISTINCT FROM 'away'
    ) ELSE false END AS elsewhere
  FROM unnest($1::int[], $2::macaddr[], $3::inet[]) WITH ORDINALITY k (segment, mac, address, n)
  LEFT JOIN LATERAL (
    SELECT vrf, domain, admission, allocation, policy, naming, grace_seconds, state FROM ipam.segment WHERE id = k.segment OFFSET 0
  ) s ON true
  LEFT JOIN LATERAL (
    SELECT bool_or(ipam.assignable(p, k.address)) AS assignable, bool_or(p.pools <> '[]') AS pooled,
      bool_or(p.state = 'draining' AND k.address <<= p.prefix::inet) AS draining
    FROM ipam.prefix p WHERE p.segment = k.segment
  ) a ON true
  LEFT JOIN LATERAL (
    SELECT id, state, to_jsonb(t) AS "row" FROM ipam.interface t WHERE segment = k.segment AND mac = k.mac OFFSET 0
  ) i ON true
  LEFT JOIN LATERAL (
    SELECT address, to_jsonb(t) AS "row" FROM ipam.expected_device t WHERE mac = k.mac OFFSET 0
  ) e ON true
  LEFT JOIN LATERAL (
    SELECT interface, segment, mac, state, policy, expires_at, reusable_at, (SELECT machine FROM ipam.interface WHERE id = l.interface) AS machine
    FROM ipam.lease l WHERE vrf = s.vrf AND address = k.address OFFSET 0
  ) h ON true
  LEFT JOIN LATERAL (
    SELECT identity, origin FROM ipam.reservation WHERE vrf = s.vrf AND address = k.address OFFSET 0
  ) r ON true
  LEFT JOIN LATERAL (
    SELECT l.state, CASE
      WHEN l.policy = 'dynamic' OR (s.state = 'active' AND (a.pooled IS NOT TRUE OR ipam.suits(k.segment, i."row" ->> 'role', l.address))
        AND EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = k.segment AND p.state = 'active' AND ipam.assignable(p, l.address)))
      THEN l.policy ELSE 'dynamic' END AS policy -- what it may not stay on holds nobody back
    FROM ipam.lease l
    WHERE l.interface = i.id AND family(l.address) = family(k.address) AND l.address <> k.address
      AND (l.state = 'bound' OR (l.state = 'released' AND l.policy <> 'dynamic'))
    ORDER BY l.state = 'bound' DESC, l.policy <> 'dynamic' DESC LIMIT 1
  ) o ON true
  ORDER BY k.n`;

/** A label that is taken, or an interface that appeared meanwhile, comes back as a missing row. */
export const INSERT_INTERFACES = `
  INSERT INTO ipam.interface AS i (segment, mac, domain, role, machine, label, identified_by)
  SELECT * FROM unnest($1::int[], $2::macaddr[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[])
  ON CONFLICT DO NOTHING
  RETURNING to_jsonb(i) AS "row"`;

const NOTE = (from: string): string => `
  INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor, trace)
  SELECT (c."row" ->> 'version')::bigint, 'lease', (c."row" ->> 'vrf') || '/' || (c."row" ->> 'address'), c.dns, c."row", $1, c.trace
  FROM (${from}) c`;

/**
 * A rest is never cut short, by a release or a shorter promise: a replica that has lost the database may have promised the
 * address to its holder for as long as the rest it knew of.
 *
 * The constraint has the last word: a row that exists is taken over only if it is this interface's (which may have been
 * deleted and come again), or rested and referenced by nobody, or its port's; judged on the row as locked. Who gets no row back has lost.
 */
export const BIND = `
  WITH given AS (
    SELECT * FROM unnest($2::text[], $3::inet[], $4::int[], $5::int[], $6::macaddr[], $7::text[], $8::int[], $9::int[],
      $10::bytea[], $11::inet[], $12::bytea[], $13::bytea[], $14::boolean[], $15::text[], $16::boolean[], $17::boolean[])
      g (vrf, address, segment, interface, mac, policy, lease_seconds, grace_seconds, client_id, giaddr, circuit_id, remote_id, dns, trace, declared, preempts)
  ), put AS (
    INSERT INTO ipam.lease AS l (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at,
      client_id, giaddr, circuit_id, remote_id)
    SELECT vrf, address, segment, interface, mac, policy, 'bound', now(), now() + make_interval(secs => lease_seconds),
      now() + make_interval(secs => lease_seconds::float8 + grace_seconds), client_id, giaddr, circuit_id, remote_id
    FROM given
    ON CONFLICT (vrf, address) DO UPDATE SET
      segment = excluded.segment, interface = excluded.interface, mac = excluded.mac, policy = excluded.policy, state = 'bound',
      starts_at = CASE WHEN l.interface = excluded.interface AND l.state = 'bound' THEN l.starts_at ELSE excluded.starts_at END,
      expires_at = excluded.expires_at, reusable_at = greatest(l.reusable_at, excluded.reusable_at), client_id = excluded.client_id,
      giaddr = excluded.giaddr, circuit_id = excluded.circuit_id, remote_id = excluded.remote_id,
      version = nextval('ipam.version')
    WHERE (l.segment = excluded.segment AND l.mac = excluded.mac AND (l.state <> 'declined' OR l.reusable_at <= now()))
      OR (l.reusable_at <= now()
        AND (l.policy = 'dynamic' OR (excluded.vrf, excluded.address) IN (SELECT vrf, address FROM given WHERE declared))
        AND (SELECT h.machine FROM ipam.interface h WHERE h.id = l.interface) IS NULL)
      OR ((l.state <> 'declined' OR l.reusable_at <= now())
        AND (excluded.vrf, excluded.address) IN (SELECT vrf, address FROM given WHERE preempts))
    RETURNING l.vrf, l.address, to_jsonb(l) AS "row"
  ), noted AS (${NOTE(`SELECT put."row", given.dns, given.trace FROM put JOIN given USING (vrf, address)`)})
  SELECT "row" FROM put`;

/** What the interface had before it moved goes to rest. */
export const MOVE = `
  WITH put AS (
    UPDATE ipam.lease l SET state = 'released', expires_at = least(l.expires_at, now()),
      reusable_at = greatest(l.reusable_at, now() + make_interval(secs => g.grace_seconds)), version = nextval('ipam.version')
    FROM unnest($2::int[], $3::inet[], $4::int[], $5::text[]) g (interface, keep, grace_seconds, trace)
    WHERE l.interface = g.interface AND l.state = 'bound' AND family(l.address) = family(g.keep) AND l.address <> g.keep
    RETURNING to_jsonb(l) AS "row", true AS dns, g.trace
  ), noted AS (${NOTE("SELECT * FROM put")})
  SELECT "row" FROM put`;

export const GIVE_BACK = `
  WITH put AS (
    UPDATE ipam.lease l SET state = g.state, expires_at = least(l.expires_at, now()),
      reusable_at = greatest(l.reusable_at, now() + make_interval(secs => g.grace_seconds)), version = nextval('ipam.version')
    FROM unnest($2::text[], $3::inet[], $4::int[], $5::text[], $6::int[], $7::text[]) g (vrf, address, interface, state, grace_seconds, trace)
    WHERE l.vrf = g.vrf AND l.address = g.address AND l.interface = g.interface AND l.state = 'bound'
    RETURNING to_jsonb(l) AS "row", true AS dns, g.trace
  ), noted AS (${NOTE("SELECT * FROM put")})
  SELECT "row" FROM put`;
