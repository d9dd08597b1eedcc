/**
 * What the daemons of schema 0005 ask of the database for a lease, word for word: they run beside daemons of this version
 * during an upgrade. A vector, never to be edited.
 */

export const LOCK_INTERFACES = `
  SELECT i.id FROM unnest($1::int[], $2::macaddr[]) k (segment, mac), LATERAL (
    SELECT id FROM ipam.interface WHERE segment = k.segment AND mac = k.mac OFFSET 0 FOR NO KEY UPDATE) i`;

export const FACTS = `
  SELECT s.vrf, s.domain, s.admission, s.allocation, s.policy, s.naming, s.grace_seconds,
    i."row" AS interface, e."row" AS expected,
    EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = k.segment AND ipam.assignable(p, k.address)) AS assignable,
    coalesce(e.address = k.address, false) AS declared,
    coalesce((SELECT c.mac FROM ipam.expected_device c WHERE c.address = k.address) <> k.mac, false) AS claimed,
    r.identity AS reserved, r.origin AS reserved_origin, coalesce(h.segment = k.segment AND h.mac = k.mac, false) AS own,
    h.interface AS holder, h.state, coalesce(h.expires_at <= now(), false) AS expired,
    coalesce(h.reusable_at <= now(), true) AS rested, h.policy AS holder_policy, h.machine IS NOT NULL AS referenced,
    o.policy AS other_policy, coalesce(o.state = 'bound', false) AS other_bound
  FROM unnest($1::int[], $2::macaddr[], $3::inet[]) WITH ORDINALITY k (segment, mac, address, n)
  LEFT JOIN LATERAL (
    SELECT vrf, domain, admission, allocation, policy, naming, grace_seconds FROM ipam.segment WHERE id = k.segment OFFSET 0
  ) s ON true
  LEFT JOIN LATERAL (
    SELECT id, to_jsonb(t) AS "row" FROM ipam.interface t WHERE segment = k.segment AND mac = k.mac OFFSET 0
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
    SELECT l.policy, l.state FROM ipam.lease l
    WHERE l.interface = i.id AND family(l.address) = family(k.address) AND l.address <> k.address
      AND (l.state = 'bound' OR (l.state = 'released' AND l.policy <> 'dynamic'))
    ORDER BY l.state = 'bound' DESC, l.policy <> 'dynamic' DESC LIMIT 1
  ) o ON true
  ORDER BY k.n`;

export const INSERT_INTERFACES = `
  INSERT INTO ipam.interface AS i (segment, mac, domain, role, machine, label, identified_by)
  SELECT * FROM unnest($1::int[], $2::macaddr[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[])
  ON CONFLICT DO NOTHING
  RETURNING to_jsonb(i) AS "row"`;

const NOTE = (from: string): string => `
  INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor, trace)
  SELECT (c."row" ->> 'version')::bigint, 'lease', (c."row" ->> 'vrf') || '/' || (c."row" ->> 'address'), c.dns, c."row", $1, c.trace
  FROM (${from}) c`;

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
