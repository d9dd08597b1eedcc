-- Up Migration
-- How a database tells that it was restored. The cluster's identity and timeline are in `feed` already; they stay as they
-- are when a dump is restored into the same cluster.

CREATE FUNCTION ipam.database_oid() RETURNS oid LANGUAGE sql STABLE AS $$
  SELECT oid FROM pg_database WHERE datname = current_database()
$$;

-- The feed's last row knows in which database and by which transaction it was written. A copy of the database has another
-- oid; a row that came out of a dump has another transaction in its header than it says.
ALTER TABLE ipam.feed
  ADD COLUMN database oid NOT NULL DEFAULT ipam.database_oid(),
  ADD COLUMN written_by xid8 NOT NULL DEFAULT pg_current_xact_id();
UPDATE ipam.feed SET written_by = pg_current_xact_id();

-- A reader that has seen more than the feed has: what no row can tell, a rolled back disk, its readers can.
CREATE TABLE ipam.witness (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  position bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
