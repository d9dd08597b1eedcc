-- Up Migration
-- Clients that show no MAC: DHCPv6 knows a client by its DUID, or by the port that it is attached to. Every row that was
-- there keeps its MAC. A daemon of the schema before goes on beside this one for as long as every client shows a MAC.

-- `identity` is canonical text, as in a reservation: `duid 00030001…`, or `port LINK/INTERFACE-ID` (hex).
ALTER TABLE ipam.interface
  ALTER COLUMN mac DROP NOT NULL,
  ADD COLUMN identity text CHECK (identity ~ '^(duid|port) '),
  ADD CONSTRAINT interface_identified CHECK ((mac IS NULL) <> (identity IS NULL));
-- Partial: nearly every interface has a MAC, and an index of NULLs would cost each of them an entry.
CREATE UNIQUE INDEX interface_identity_segment ON ipam.interface (identity, segment) WHERE identity IS NOT NULL;

ALTER TABLE ipam.reservation
  DROP CONSTRAINT reservation_identity_check,
  ADD CONSTRAINT reservation_identity_check CHECK (identity ~ '^(mac|duid|uuid|client-id|port) ');

-- What an interface has one of: an IPv4 address (4), an IPv6 address (6), a delegated prefix (0).
CREATE FUNCTION ipam.address_class(a inet) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN family(a) = 6 AND masklen(a) < 128 THEN 0 ELSE family(a) END
$$;

-- A delegated prefix (IA_PD) is an `address` with a mask; its bits behind the mask are zero. `iaid` is the association that
-- has it (RFC 8415 §12), where a client may have several; NULL: it has one address, whatever it calls its association.
ALTER TABLE ipam.lease
  ALTER COLUMN mac DROP NOT NULL,
  ADD COLUMN identity text CHECK (identity ~ '^(duid|port) '),
  ADD COLUMN iaid bigint CHECK (iaid BETWEEN 0 AND 4294967295),
  ADD CONSTRAINT lease_identified CHECK ((mac IS NULL) <> (identity IS NULL)),
  DROP CONSTRAINT lease_address_check,
  ADD CONSTRAINT lease_address_check CHECK (masklen(address) = 32 AND family(address) = 4
    OR family(address) = 6 AND (masklen(address) = 128 OR network(address) = address)),
  DROP CONSTRAINT lease_of_interface,
  ADD CONSTRAINT lease_of_interface EXCLUDE USING btree (interface WITH =, ipam.address_class(address) WITH =)
    WHERE (state = 'bound' AND iaid IS NULL) DEFERRABLE INITIALLY DEFERRED,
  ADD CONSTRAINT lease_of_association EXCLUDE USING btree (interface WITH =, iaid WITH =, ipam.address_class(address) WITH =)
    WHERE (state = 'bound' AND iaid IS NOT NULL) DEFERRABLE INITIALLY DEFERRED,
  ADD CONSTRAINT lease_delegated_overlaps EXCLUDE USING gist (vrf WITH =, address inet_ops WITH &&)
    WHERE (ipam.address_class(address) = 0);

ALTER TABLE ipam.tenancy
  ALTER COLUMN mac DROP NOT NULL,
  ADD COLUMN identity text,
  ADD COLUMN iaid bigint;
CREATE INDEX tenancy_identity ON ipam.tenancy (identity, starts_at) WHERE identity IS NOT NULL;

ALTER TABLE ipam.rehoming
  DROP CONSTRAINT rehoming_pkey,
  ADD CONSTRAINT rehoming_mac UNIQUE (mac),
  ALTER COLUMN mac DROP NOT NULL,
  ADD COLUMN identity text CONSTRAINT rehoming_identity UNIQUE,
  ADD CONSTRAINT rehoming_identified CHECK ((mac IS NULL) <> (identity IS NULL));
