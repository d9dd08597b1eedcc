-- Up Migration
-- The site's addresses and names. Forward only; a change is a new file.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- Versions of all rows come from one sequence, drawn while the row is locked. So the versions of one row only grow, even
-- when its key is deleted and comes again, and a version names one change of one row in the whole site.
CREATE SEQUENCE ipam.version;

CREATE TABLE ipam.domain (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  name_servers text[] NOT NULL CHECK (cardinality(name_servers) > 0),
  ttl_seconds integer NOT NULL,
  negative_ttl_seconds integer NOT NULL,
  version bigint NOT NULL DEFAULT nextval('ipam.version')
);

CREATE TABLE ipam.segment (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  "is" text NOT NULL CHECK ("is" IN ('underlay', 'admin', 'tenant', 'host_inband')),
  domain integer NOT NULL REFERENCES ipam.domain,
  vrf text NOT NULL,
  mtu integer NOT NULL,
  vlan integer,
  vni integer,
  lease_seconds integer NOT NULL CHECK (lease_seconds > 0),
  grace_seconds integer NOT NULL CHECK (grace_seconds >= 0),
  admission text NOT NULL CHECK (admission IN ('open', 'expected')),
  allocation text NOT NULL CHECK (allocation IN ('dynamic', 'sequential', 'reserved')),
  policy text NOT NULL CHECK (policy IN ('dynamic', 'fixed', 'retained', 'preserved')),
  naming text NOT NULL CHECK (naming IN ('address', 'mac')),
  options jsonb NOT NULL DEFAULT '{}',
  boots boolean NOT NULL,
  version bigint NOT NULL DEFAULT nextval('ipam.version')
);

CREATE TABLE ipam.prefix (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  segment integer NOT NULL REFERENCES ipam.segment,
  vrf text NOT NULL,
  prefix cidr NOT NULL,
  gateway inet CHECK (gateway <<= prefix::inet AND masklen(gateway) = masklen(host(gateway)::inet)),
  reserved integer NOT NULL CHECK (reserved BETWEEN 0 AND 65536),
  excluded inet[] NOT NULL DEFAULT '{}',
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  -- Tenants may overlap, each in its own VRF; within one nothing does.
  CONSTRAINT prefix_overlaps EXCLUDE USING gist (vrf WITH =, prefix inet_ops WITH &&),
  CONSTRAINT prefix_reserved CHECK (
    (CASE family(prefix) WHEN 4 THEN 32 ELSE 128 END) - masklen(prefix) > 16
    OR reserved <= 1 << ((CASE family(prefix) WHEN 4 THEN 32 ELSE 128 END) - masklen(prefix))
  )
);
CREATE INDEX prefix_of_segment ON ipam.prefix (segment);

CREATE TABLE ipam.interface (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  segment integer NOT NULL REFERENCES ipam.segment,
  mac macaddr NOT NULL,
  -- The segment's domain, repeated so that a label is unique in it by constraint.
  domain integer NOT NULL,
  role text NOT NULL CHECK (role IN ('host', 'host_bmc', 'dpu_bmc', 'dpu_oob', 'other')),
  machine text,
  label text,
  identified_by text NOT NULL CHECK (identified_by IN ('expected', 'lease', 'declared')),
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  UNIQUE (segment, mac),
  CONSTRAINT interface_label UNIQUE (domain, label)
);
CREATE INDEX interface_mac ON ipam.interface (mac);

CREATE TABLE ipam.expected_device (
  mac macaddr PRIMARY KEY,
  machine text NOT NULL,
  serial text,
  role text NOT NULL CHECK (role IN ('host', 'host_bmc', 'dpu_bmc', 'dpu_oob', 'other')),
  label text NOT NULL,
  address inet,
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  -- Deferred, so that one declaration may swap two of them.
  CONSTRAINT expected_label UNIQUE (label) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT expected_address UNIQUE (address) DEFERRABLE INITIALLY DEFERRED
);

-- No index names a time: a renewal that changes nothing else is a HOT update. `segment` repeats the interface's and so
-- has no foreign key of its own (each insert would share-lock the segment's row).
CREATE TABLE ipam.lease (
  vrf text NOT NULL,
  address inet NOT NULL CHECK (masklen(address) = CASE family(address) WHEN 4 THEN 32 ELSE 128 END),
  segment integer NOT NULL,
  interface integer NOT NULL REFERENCES ipam.interface,
  mac macaddr NOT NULL,
  policy text NOT NULL CHECK (policy IN ('dynamic', 'fixed', 'retained', 'preserved')),
  state text NOT NULL CHECK (state IN ('bound', 'released', 'declined')),
  starts_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  reusable_at timestamptz NOT NULL,
  client_id bytea,
  giaddr inet,
  circuit_id bytea,
  remote_id bytea,
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  PRIMARY KEY (vrf, address),
  -- Deferred: an interface that moves binds the new address first and gives the old one back in the same transaction.
  CONSTRAINT lease_of_interface EXCLUDE USING btree (interface WITH =, family(address) WITH =)
    WHERE (state = 'bound') DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 80);
CREATE INDEX lease_interface ON ipam.lease (interface);

CREATE TABLE ipam.name (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  domain integer NOT NULL REFERENCES ipam.domain,
  owner text NOT NULL,
  type text NOT NULL CHECK (type IN ('A', 'AAAA', 'CNAME', 'TXT', 'SRV', 'PTR')),
  data text NOT NULL,
  ttl_seconds integer NOT NULL,
  version bigint NOT NULL DEFAULT nextval('ipam.version'),
  UNIQUE (owner, type, data)
);

-- Whether the prefix could ever give this address: inside, not its network, broadcast (IPv4 shorter than /31), routers'
-- anycast (IPv6 shorter than /127) or gateway address, not in the reserved head, not excluded.
CREATE FUNCTION ipam.assignable(p ipam.prefix, a inet) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
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
$$;

-- The outbox: written with the row it tells of, in the same transaction, in no order that could be relied upon. `xid` is how
-- the sequencer finds what committed since it last looked, at a cost that does not depend on who holds a transaction open.
CREATE TABLE ipam.change_pending (
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  version bigint NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  dns boolean NOT NULL,
  "row" jsonb,
  actor text NOT NULL,
  trace text,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX change_pending_xid ON ipam.change_pending (xid);

-- The feed as readers see it: gapless positions, in the order the sequencer gave them.
CREATE TABLE ipam.change (
  position bigint PRIMARY KEY,
  version bigint NOT NULL,
  kind text NOT NULL,
  key text NOT NULL,
  dns boolean NOT NULL,
  "row" jsonb,
  actor text NOT NULL,
  trace text,
  at timestamptz NOT NULL
);

-- Where the feed stands: the row with the highest position rules. One row per batch instead of one row rewritten, because
-- a row rewritten hundreds of times a second beside a long transaction is a chain of dead versions every reader walks.
-- `seen` is the snapshot up to which the outbox has been taken in.
CREATE TABLE ipam.feed (
  position bigint PRIMARY KEY,
  dns_position bigint NOT NULL,
  epoch uuid NOT NULL,
  system_identifier bigint NOT NULL,
  timeline text NOT NULL,
  seen pg_snapshot NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO ipam.feed (position, dns_position, epoch, system_identifier, timeline, seen)
SELECT 0, 0, gen_random_uuid(), system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), pg_current_snapshot()
FROM pg_control_system();
