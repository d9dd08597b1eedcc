-- Up Migration
-- Lists are in the order of names as bytes, of all machines or of those in one state: a page reads a page.
CREATE INDEX machine_in_order ON api.machine (name COLLATE "C");
CREATE INDEX machine_in_state ON api.machine (state, name COLLATE "C");
