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
