-- Up Migration
ALTER TABLE ipam.segment DROP CONSTRAINT segment_naming_check;
ALTER TABLE ipam.segment ADD CONSTRAINT segment_naming_check
  CHECK (naming IN ('address', 'mac', 'serial', 'machine', 'declared'));

-- Ranges that are never given, beyond the head: `[["10.0.0.50", "10.0.0.99"]]`, ends included.
ALTER TABLE ipam.prefix ADD COLUMN reserved_ranges jsonb NOT NULL DEFAULT '[]';

CREATE OR REPLACE FUNCTION ipam.assignable(p ipam.prefix, a inet) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT family(a) = family(p.prefix)
    AND a <<= p.prefix::inet
    AND a IS DISTINCT FROM p.gateway
    AND a <> ALL (p.excluded)
    AND (p.reserved = 0 OR a > host(network(p.prefix))::inet + (p.reserved - 1))
    AND (
      CASE family(p.prefix)
        WHEN 4 THEN masklen(p.prefix) >= 31
          OR (a <> host(network(p.prefix))::inet AND a <> host(broadcast(p.prefix))::inet)
        ELSE masklen(p.prefix) >= 127 OR a <> host(network(p.prefix))::inet
      END
    )
    AND (p.reserved_ranges = '[]' OR NOT EXISTS (
      SELECT FROM jsonb_array_elements(p.reserved_ranges) r WHERE a BETWEEN (r ->> 0)::inet AND (r ->> 1)::inet
    ))
$$;

-- Resource pools: VLANs, VNIs, ASNs, loopbacks, delegated prefixes. A value is a slot, a number the pool's kind gives a form;
-- ranges are half-open, so that what is taken out of the middle leaves two.

CREATE TABLE ipam.pool (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  "is" text NOT NULL CHECK ("is" IN ('integer', 'ipv4', 'ipv6', 'prefix')),
  -- Of the prefixes a `prefix` pool delegates.
  length integer CHECK (("is" = 'prefix') = (length IS NOT NULL) AND length BETWEEN 1 AND 128),
  ranges nummultirange NOT NULL,
  excluded nummultirange NOT NULL,
  version bigint NOT NULL DEFAULT nextval('ipam.version')
);

-- What is free, as few ranges as can be: a first free slot is one look into an index, whatever the size and the fill.
CREATE TABLE ipam.pool_free (
  pool integer NOT NULL REFERENCES ipam.pool ON DELETE CASCADE,
  free numrange NOT NULL CHECK (NOT isempty(free) AND lower_inc(free) AND NOT upper_inc(free)),
  CONSTRAINT pool_free_overlaps EXCLUDE USING gist (pool WITH =, free WITH &&)
);
CREATE INDEX pool_free_end ON ipam.pool_free (pool, upper(free));

-- Who has what. The key has the last word: no slot twice. An owner that asks again is given what it has.
CREATE TABLE ipam.pool_grant (
  pool integer NOT NULL REFERENCES ipam.pool,
  slot numeric(39) NOT NULL,
  owner text NOT NULL CHECK (owner <> ''),
  granted_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  PRIMARY KEY (pool, slot),
  CONSTRAINT pool_grant_owner UNIQUE (pool, owner)
);

-- A slot goes back to what is free around it. Neighbours are locked in their order, so two of these never wait for each other.
CREATE FUNCTION ipam.free_slot(p integer, s numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  whole numrange := numrange(s, s + 1);
  beside numrange;
BEGIN
  FOR beside IN
    SELECT free FROM ipam.pool_free WHERE pool = p AND free && numrange(s - 1, s + 2) ORDER BY upper(free) FOR UPDATE
  LOOP
    whole := range_merge(whole, beside);
    DELETE FROM ipam.pool_free WHERE pool = p AND upper(free) = upper(beside);
  END LOOP;
  INSERT INTO ipam.pool_free (pool, free) VALUES (p, whole);
END $$;
