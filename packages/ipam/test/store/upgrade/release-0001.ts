/**
 * What the daemons of the first release (schema 0001) ask of the database, word for word: they run beside daemons of this
 * version during an upgrade. A vector, never to be edited; a later release adds a file of its own.
 */

/** Every bind and give-back of one interface passes here, so two writers never decide about the same one at once. */
export const LOCK_INTERFACES = `
  SELECT i.id FROM ipam.interface i
  JOIN unnest($1::int[], $2::macaddr[]) k (segment, mac) ON i.segment = k.segment AND i.mac = k.mac
  ORDER BY i.segment, i.mac FOR NO KEY UPDATE OF i`;

export const FACTS = `
  SELECT s.vrf, s.domain, s.admission, s.allocation, s.policy, s.grace_seconds,
    to_jsonb(i) AS interface, to_jsonb(e) AS expected,
    EXISTS (SELECT FROM ipam.prefix p WHERE p.segment = k.segment AND ipam.assignable(p, k.address)) AS assignable,
    coalesce(e.address = k.address, false) AS declared,
    EXISTS (SELECT FROM ipam.expected_device c WHERE c.address = k.address AND c.mac <> k.mac) AS claimed,
    h.interface AS holder, h.state, coalesce(h.expires_at <= now(), false) AS expired,
    coalesce(h.reusable_at <= now(), true) AS rested, h.policy AS holder_policy, hi.machine IS NOT NULL AS referenced,
    o.policy AS other_policy, coalesce(o.state = 'bound', false) AS other_bound
  FROM unnest($1::int[], $2::macaddr[], $3::inet[]) WITH ORDINALITY k (segment, mac, address, n)
  LEFT JOIN ipam.segment s ON s.id = k.segment
  LEFT JOIN ipam.interface i ON i.segment = k.segment AND i.mac = k.mac
  LEFT JOIN ipam.expected_device e ON e.mac = k.mac
  LEFT JOIN ipam.lease h ON h.vrf = s.vrf AND h.address = k.address
  LEFT JOIN ipam.interface hi ON hi.id = h.interface
  LEFT JOIN LATERAL (
    SELECT l.policy, l.state FROM ipam.lease l
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
 * The constraint has the last word: a row that exists is taken over only if it is this interface's, or rested and
 * referenced by nobody, judged on the row as locked. Who gets no row back has lost.
 */
export const BIND = `
  WITH given AS (
    SELECT * FROM unnest($2::text[], $3::inet[], $4::int[], $5::int[], $6::macaddr[], $7::text[], $8::int[], $9::int[],
      $10::bytea[], $11::inet[], $12::bytea[], $13::bytea[], $14::boolean[], $15::text[], $16::boolean[])
      g (vrf, address, segment, interface, mac, policy, lease_seconds, grace_seconds, client_id, giaddr, circuit_id, remote_id, dns, trace, declared)
  ), put AS (
    INSERT INTO ipam.lease AS l (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at,
      client_id, giaddr, circuit_id, remote_id)
    SELECT vrf, address, segment, interface, mac, policy, 'bound', now(), now() + make_interval(secs => lease_seconds),
      now() + make_interval(secs => lease_seconds::float8 + grace_seconds), client_id, giaddr, circuit_id, remote_id
    FROM given
    ON CONFLICT (vrf, address) DO UPDATE SET
      segment = excluded.segment, interface = excluded.interface, mac = excluded.mac, policy = excluded.policy, state = 'bound',
      starts_at = CASE WHEN l.interface = excluded.interface AND l.state = 'bound' THEN l.starts_at ELSE excluded.starts_at END,
      expires_at = excluded.expires_at, reusable_at = excluded.reusable_at, client_id = excluded.client_id,
      giaddr = excluded.giaddr, circuit_id = excluded.circuit_id, remote_id = excluded.remote_id,
      version = nextval('ipam.version')
    WHERE (l.interface = excluded.interface AND (l.state <> 'declined' OR l.reusable_at <= now()))
      OR (l.reusable_at <= now()
        AND (l.policy = 'dynamic' OR excluded.address IN (SELECT address FROM given WHERE declared))
        AND NOT EXISTS (SELECT FROM ipam.interface h WHERE h.id = l.interface AND h.machine IS NOT NULL))
    RETURNING l.vrf, l.address, to_jsonb(l) AS "row"
  ), noted AS (${NOTE(`SELECT put."row", given.dns, given.trace FROM put JOIN given USING (vrf, address)`)})
  SELECT "row" FROM put`;

/** What the interface had before it moved goes to rest. */
export const MOVE = `
  WITH put AS (
    UPDATE ipam.lease l SET state = 'released', expires_at = least(l.expires_at, now()),
      reusable_at = now() + make_interval(secs => g.grace_seconds), version = nextval('ipam.version')
    FROM unnest($2::int[], $3::inet[], $4::int[], $5::text[]) g (interface, keep, grace_seconds, trace)
    WHERE l.interface = g.interface AND l.state = 'bound' AND family(l.address) = family(g.keep) AND l.address <> g.keep
    RETURNING to_jsonb(l) AS "row", true AS dns, g.trace
  ), noted AS (${NOTE("SELECT * FROM put")})
  SELECT "row" FROM put`;

export const GIVE_BACK = `
  WITH put AS (
    UPDATE ipam.lease l SET state = g.state, expires_at = least(l.expires_at, now()),
      reusable_at = now() + make_interval(secs => g.grace_seconds), version = nextval('ipam.version')
    FROM unnest($2::text[], $3::inet[], $4::int[], $5::text[], $6::int[], $7::text[]) g (vrf, address, interface, state, grace_seconds, trace)
    WHERE l.vrf = g.vrf AND l.address = g.address AND l.interface = g.interface AND l.state = 'bound'
    RETURNING to_jsonb(l) AS "row", true AS dns, g.trace
  ), noted AS (${NOTE("SELECT * FROM put")})
  SELECT "row" FROM put`;

const HERE = `
  SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline FROM pg_control_system()`;

export const SAME_HISTORY = `
  SELECT (f.system_identifier, f.timeline) = (here.system_identifier, here.timeline) AS same
  FROM (SELECT * FROM ipam.feed ORDER BY position DESC LIMIT 1) f, (${HERE}) here`;

export const SEQUENCE = `
  WITH f AS MATERIALIZED (
    SELECT * FROM ipam.feed ORDER BY position DESC LIMIT 1
  ), taken AS (
    DELETE FROM ipam.change_pending
    WHERE xid >= (SELECT pg_snapshot_xmax(seen) FROM f) OR xid = ANY (ARRAY(SELECT pg_snapshot_xip(seen) FROM f))
    RETURNING version, kind, key, dns, "row", actor, trace, at
  ), numbered AS MATERIALIZED (
    SELECT f.position + row_number() OVER (ORDER BY t.version) AS position, t.* FROM taken t, f
  ), kept AS (
    INSERT INTO ipam.change (position, version, kind, key, dns, "row", actor, trace, at) SELECT * FROM numbered
  ), mark AS (
    INSERT INTO ipam.feed (position, dns_position, epoch, system_identifier, timeline, seen)
    SELECT n.position, coalesce(n.dns_position, f.dns_position), f.epoch, f.system_identifier, f.timeline, pg_current_snapshot()
    FROM f, (SELECT max(position) AS position, max(position) FILTER (WHERE dns) AS dns_position FROM numbered) n
    WHERE n.position IS NOT NULL
  )
  SELECT count(*) AS count FROM numbered`;

export const PULL = `
  SELECT f.epoch, f.position AS feed_position, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now,
    c.position, c.version, c.kind, c.key, c.dns, c."row", c.actor, c.trace, (extract(epoch FROM c.at) * 1000)::float8 AS at
  FROM (SELECT epoch, position FROM ipam.feed ORDER BY position DESC LIMIT 1) f
  LEFT JOIN LATERAL (
    SELECT * FROM ipam.change WHERE position > $1 ORDER BY position LIMIT $2
  ) c ON true
  ORDER BY c.position`;
