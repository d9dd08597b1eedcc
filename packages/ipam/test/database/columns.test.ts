import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, instant, integer, json, oneOf, optional, rowOf, text } from "../../src/database/columns.ts";

const read = rowOf("leases", {
  id: integer,
  name: text,
  at: instant,
  is: oneOf(["bound", "lapsed"]),
  row: json,
  data: optional(bytes),
});
const row = { id: 1, name: "a", at: 0.5, is: "bound", row: { mtu: 1500 } };

test("a row has its declared columns and no other", () => {
  assert.deepEqual(read({ ...row, data: null, other: 1 }), row);
  assert.deepEqual(read({ ...row, data: Uint8Array.of(7) }), { ...row, data: Uint8Array.of(7) });
});

test("an int8 is read as text and as a number", () => {
  assert.equal(read({ ...row, id: "4294967296" }).id, 4_294_967_296);
});

test("a value of another type is an error that names statement and column", () => {
  const wrong: readonly [object, string][] = [
    [{ id: 1.5 }, "column id is a number, want an integer"],
    [{ id: "9007199254740993" }, 'column id is the text "9007199254740993", want an integer'],
    [{ name: 1 }, "column name is a number, want text"],
    [{ at: "0" }, 'column at is the text "0", want milliseconds'],
    [{ is: "gone" }, 'column is is the text "gone", want one of bound, lapsed'],
    [{ row: [] }, "column row is an array, want a JSON object"],
    [{ data: "07" }, 'column data is the text "07", want bytes'],
  ];
  for (const [value, message] of wrong) {
    assert.throws(() => read({ ...row, ...value }), { message: `statement leases: ${message}` });
  }
});

test("a NULL in a column that is not optional is an error", () => {
  assert.throws(() => read({ ...row, name: null }), { message: "statement leases: column name is NULL, want text" });
  const { name: _, ...unnamed } = row;
  assert.throws(() => read(unnamed), { message: "statement leases: column name is missing, want text" });
});
