-- Up Migration
-- Why an address is reserved, for people.
ALTER TABLE ipam.reservation ADD COLUMN note text;
