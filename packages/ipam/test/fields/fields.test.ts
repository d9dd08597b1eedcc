import assert from "node:assert/strict";
import test, { after } from "node:test";
import { columnsOf, type FieldTable } from "../../src/fields/field.ts";
import {
  ADDRESS_POLICIES,
  ADMISSIONS,
  ALLOCATIONS,
  DRAIN_STATES,
  IDENTIFICATIONS,
  INTERFACE_STATES,
  LEASE_STATES,
  NAMINGS,
  RECORD_TYPES,
  REHOMES,
  ROLES,
  SEGMENT_KINDS,
} from "../../src/fields/lists.ts";
import { PREFIX_FIELDS } from "../../src/fields/prefix.ts";
import { RESERVATION_FIELDS } from "../../src/fields/reservation.ts";
import { SEGMENT_FIELDS } from "../../src/fields/segment.ts";
import { ground } from "../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());

/** Columns of a table that no setting has: keys, and what the database or the store adds. */
const TABLES: readonly (readonly [table: string, fields: FieldTable, others: readonly string[]])[] = [
  ["segment", SEGMENT_FIELDS, ["id", "version", "drain_by", "from_pools", "options"]],
  ["prefix", PREFIX_FIELDS, ["id", "version", "segment", "vrf", "drain_by"]],
  ["reservation", RESERVATION_FIELDS, ["id", "version", "segment", "vrf", "address", "identity", "origin"]],
];

for (const [table, fields, others] of TABLES) {
  test(`each setting of a ${table} has its SQL column, of the type in the field table, and no column is without a setting`, async () => {
    const rows = await site.sql<{ name: string; type: string }>(
      `SELECT column_name AS name, CASE WHEN data_type = 'USER-DEFINED' THEN udt_name ELSE data_type END AS type
       FROM information_schema.columns WHERE table_schema = 'ipam' AND table_name = $1`,
      [table],
    );
    const inSql = rows.filter(({ name }) => !others.includes(name)).map(({ name, type }) => `${name} ${type}`);
    const inTable = columnsOf(fields).map(([, column, { sql }]) => `${column} ${sql}`);
    assert.deepEqual(inSql.toSorted(), inTable.toSorted());
  });
}

/** Each list with the columns that SQL checks by it. */
const LISTS: readonly (readonly [words: readonly string[], columns: readonly string[]])[] = [
  [ROLES, ["interface.role", "expected_device.role"]],
  [SEGMENT_KINDS, ["segment.is"]],
  [RECORD_TYPES, ["name.type"]],
  [ADDRESS_POLICIES, ["segment.policy", "lease.policy"]],
  [DRAIN_STATES, ["segment.state", "prefix.state"]],
  [ADMISSIONS, ["segment.admission"]],
  [ALLOCATIONS, ["segment.allocation"]],
  [REHOMES, ["segment.rehome"]],
  [NAMINGS, ["segment.naming"]],
  [IDENTIFICATIONS, ["interface.identified_by"]],
  [INTERFACE_STATES, ["interface.state"]],
  [LEASE_STATES, ["lease.state"]],
];

test("the check constraints of SQL have the words of the lists, and no others", async () => {
  const rows = await site.sql<{ column: string; check: string }>(
    `SELECT t.relname || '.' || a.attname AS column, pg_get_constraintdef(c.oid) AS check
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
       JOIN pg_attribute a ON a.attrelid = t.oid AND c.conkey = ARRAY[a.attnum]
     WHERE c.contype = 'c' AND c.connamespace = 'ipam'::regnamespace`,
  );
  const checked = new Map(
    rows.map(({ column, check }) => [column, [...check.matchAll(/'([^']*)'::text/g)].map(([, word]) => word!)]),
  );
  for (const [words, columns] of LISTS)
    for (const column of columns) assert.deepEqual(checked.get(column)?.toSorted(), words.toSorted(), column);
});
