-- Up Migration
-- Addresses promised to an identity ahead of any lease, and leases that outlive their interface.

-- `identity` is canonical text: `mac 02:00:00:00:00:01`, `uuid …`, `client-id …` (hex), `port GIADDR/CIRCUIT[/REMOTE]` (hex).
CREATE TABLE ipam.reservation (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  segment integer NOT NULL REFERENCES ipam.segment,
  vrf text NOT NULL,
  address inet NOT NULL CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END),
  identity text NOT NULL CHECK (identity ~ '^(mac|uuid|client-id|port) '),
  -- `preserved`: left behind by an interface of a `preserved` segment when it was deleted.
  origin text NOT NULL CHECK (origin IN ('declared', 'preserved')),
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  CONSTRAINT reservation_address UNIQUE (vrf, address)
);
CREATE UNIQUE INDEX reservation_identity ON ipam.reservation (segment, identity, family(address));

-- An address rests past the life of its interface. Interfaces go in an edit only, and no lease batch runs beside one.
ALTER TABLE ipam.lease DROP CONSTRAINT lease_interface_fkey;
