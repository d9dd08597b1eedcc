-- Up Migration
-- What was: who had which address, who changed what, how full each prefix was. Written off the lease path, bounded by settings.

-- One row per tenancy: an interface had an address from `starts_at` on, and renewed it until `expires_at`. `closed_at` is set
-- once, when it was given back or another tenancy began; no other index than that names a time, so a renewal is a HOT update.
CREATE TABLE ipam.tenancy (
  vrf text NOT NULL,
  address inet NOT NULL,
  starts_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  closed_at timestamptz,
  state text NOT NULL,
  segment integer NOT NULL,
  interface integer NOT NULL,
  mac macaddr NOT NULL,
  machine text,
  giaddr inet,
  circuit_id bytea,
  remote_id bytea,
  PRIMARY KEY (vrf, address, starts_at)
) WITH (fillfactor = 80);
CREATE INDEX tenancy_closed ON ipam.tenancy (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX tenancy_mac ON ipam.tenancy (mac, starts_at);

-- Every change but plain renewals, for longer than the feed keeps it for readers.
CREATE TABLE ipam.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  position bigint NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  version bigint NOT NULL,
  "row" jsonb,
  trace text
);
CREATE INDEX audit_of_row ON ipam.audit (key, kind, id);
CREATE INDEX audit_of_kind ON ipam.audit (kind, id) WHERE kind <> 'lease';
CREATE INDEX audit_of_actor ON ipam.audit (actor, id);

-- Up to where in the feed the two are written. No row: not begun.
CREATE TABLE ipam.chronicle (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch uuid NOT NULL,
  position bigint NOT NULL,
  begun_at timestamptz NOT NULL DEFAULT now()
);

-- How full a prefix was. Counts of IPv6 exceed 64 bits.
CREATE TABLE ipam.utilisation (
  prefix integer NOT NULL,
  at timestamptz NOT NULL,
  assignable numeric NOT NULL,
  bound bigint NOT NULL,
  kept bigint NOT NULL,
  resting bigint NOT NULL,
  idle bigint NOT NULL,
  PRIMARY KEY (prefix, at)
);
CREATE INDEX utilisation_at ON ipam.utilisation (at);
