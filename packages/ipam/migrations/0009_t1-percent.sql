-- Up Migration
-- When the clients of a segment renew, in percent of the lease (T1 of RFC 2131 §4.4.5); NULL is half of it, as before.
ALTER TABLE ipam.segment ADD COLUMN t1_percent integer CHECK (t1_percent BETWEEN 1 AND 87);
