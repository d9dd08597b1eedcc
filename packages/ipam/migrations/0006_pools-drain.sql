-- Up Migration
-- Pools per role inside a prefix, drain as a state, and a segment's numbers from resource pools. All of it is added with what
-- held before as its default, so a daemon of the schema before goes on beside it; it does not know of roles and drains.

ALTER TABLE ipam.prefix
  -- `[{"first": "10.0.0.50", "last": "10.0.0.99", "roles": ["host_bmc"]}]`, ends included, none over another.
  ADD COLUMN pools jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'draining')),
  -- Up to when its holders renew, if they have elsewhere to go.
  ADD COLUMN drain_by timestamptz;

ALTER TABLE ipam.segment
  ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'draining')),
  ADD COLUMN drain_by timestamptz,
  ADD COLUMN drain_seconds integer CHECK (drain_seconds >= 0),
  ADD COLUMN asn bigint,
  ADD COLUMN loopback inet,
  -- `{"vlan": "POOL"}`: which of its numbers a resource pool gave.
  ADD COLUMN from_pools jsonb NOT NULL DEFAULT '{}';

-- The same counts for each pool of the prefix; null: it has none, or an older version counted.
ALTER TABLE ipam.utilisation ADD COLUMN pools jsonb;

-- Whether an interface of this role may have this address of an active prefix: one in a pool of its role; or, where no active
-- prefix of the segment has a pool for it, one in nobody's pool. Declared addresses are not asked about.
CREATE FUNCTION ipam.suits(s integer, r text, a inet) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    bool_or(o.own AND o.here) OR NOT (bool_or(o.own AND o.active) OR bool_or(o.here)), true)
  FROM (
    SELECT e -> 'roles' ? r AS own, a BETWEEN (e ->> 'first')::inet AND (e ->> 'last')::inet AS here, p.state = 'active' AS active
    FROM ipam.prefix p, jsonb_array_elements(p.pools) e
    WHERE p.segment = s AND p.pools <> '[]' AND family(p.prefix) = family(a)
  ) o
$$;
