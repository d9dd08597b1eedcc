-- Up Migration

-- One row a machine; `version` grows with each stored change of it, `task` whenever what it has to do changes.
CREATE TABLE api.machine (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL UNIQUE,
  serial text,
  expected boolean NOT NULL,
  state text NOT NULL DEFAULT 'discovered' CHECK (state IN ('discovered', 'booting', 'ready', 'assigned', 'cleaning')),
  version bigint NOT NULL DEFAULT 1,
  task bigint NOT NULL DEFAULT 1,
  -- The version at which the task began: a script fetched for an older one belongs to an older task.
  task_version bigint NOT NULL DEFAULT 1,
  -- Which of its parts have phoned home for this task.
  arrived text[] NOT NULL DEFAULT '{}',
  tenant text,
  script text,
  user_data text,
  -- Number of its newest event: the end of its ring.
  recorded bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX machine_unexpected ON api.machine (id) WHERE NOT expected;
CREATE INDEX machine_updated ON api.machine (updated_at);

-- Which MAC is which part of which machine: from the expected list, or one of its own for a MAC nobody expected.
CREATE TABLE api.machine_interface (
  mac text PRIMARY KEY,
  machine uuid NOT NULL REFERENCES api.machine ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('host', 'host_bmc', 'dpu_bmc', 'dpu_oob', 'other'))
);
CREATE INDEX machine_interface_machine ON api.machine_interface (machine);

-- Rings of events of clients that are no machine (yet).
CREATE TABLE api.unknown_ring (
  ring int PRIMARY KEY,
  recorded bigint NOT NULL
);

-- The flight recorder. The id is what makes a repeated report harmless.
CREATE TABLE api.machine_event (
  id text PRIMARY KEY,
  machine uuid REFERENCES api.machine ON DELETE CASCADE,
  ring int,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  mac text,
  address text,
  because text,
  trace text,
  detail jsonb,
  CHECK ((machine IS NULL) <> (ring IS NULL))
);
CREATE INDEX machine_event_seq ON api.machine_event (machine, seq) WHERE machine IS NOT NULL;
CREATE INDEX machine_event_at ON api.machine_event (machine, at DESC, seq DESC) WHERE machine IS NOT NULL;
CREATE INDEX machine_event_ring ON api.machine_event (ring, seq) WHERE ring IS NOT NULL;
CREATE INDEX machine_event_unknown ON api.machine_event (mac, at DESC, seq DESC) WHERE ring IS NOT NULL;

-- How far lease events of the change feed have been acknowledged.
CREATE TABLE api.feed_position (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch text NOT NULL,
  position bigint NOT NULL
);

-- What tokens are made with: the same for every replica of the API.
CREATE TABLE api.secret (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  bytes bytea NOT NULL CHECK (length(bytes) >= 32)
);
