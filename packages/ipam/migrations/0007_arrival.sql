-- Up Migration
-- Devices that are to come on a segment, and devices that have left one.

-- NULL: seen on its segment, and at home there. `predicted`: not seen yet. `away`: its device lives on another segment now.
ALTER TABLE ipam.interface ADD COLUMN state text CHECK (state IN ('predicted', 'away'));

-- What becomes of a promise of this segment while its device turns up on another one. NULL: by the segment's kind.
ALTER TABLE ipam.segment ADD COLUMN rehome text CHECK (rehome IN ('move', 'keep', 'refuse'));

-- Where it is to appear, where that is known.
ALTER TABLE ipam.expected_device ADD COLUMN segment integer;

-- How often devices have moved of late: who goes to and fro lives in both places. Forgotten after a while.
CREATE TABLE ipam.rehoming (
  mac macaddr PRIMARY KEY,
  moves integer NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
