-- Up Migration
-- What lease batches cost: see docs/adr/0015.

-- An edit of segments or prefixes leaves another edition behind it, whoever makes it: a writer that has read them in this
-- edition need not read them again for every batch.
CREATE TABLE ipam.edition (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO ipam.edition DEFAULT VALUES;

CREATE FUNCTION ipam.edited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE ipam.edition SET id = gen_random_uuid();
  RETURN NULL;
END $$;
CREATE TRIGGER edited AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ipam.segment
  FOR EACH STATEMENT EXECUTE FUNCTION ipam.edited();
CREATE TRIGGER edited AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON ipam.prefix
  FOR EACH STATEMENT EXECUTE FUNCTION ipam.edited();

-- An interface costs an entry in each index, and one look at its segment under a lock that all who insert share. A segment
-- goes in an edit only, with its interfaces, and no lease batch runs beside one; one index answers for a MAC and for a MAC
-- on a segment; a label is unique where there is one.
ALTER TABLE ipam.interface DROP CONSTRAINT interface_segment_fkey;
ALTER TABLE ipam.interface ADD CONSTRAINT interface_mac_segment UNIQUE (mac, segment);
ALTER TABLE ipam.interface DROP CONSTRAINT interface_segment_mac_key;
DROP INDEX ipam.interface_mac;
ALTER TABLE ipam.interface DROP CONSTRAINT interface_label;
CREATE UNIQUE INDEX interface_label ON ipam.interface (domain, label) WHERE label IS NOT NULL;
