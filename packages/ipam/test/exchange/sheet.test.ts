/** Sheets as text: what is written is read as it was, and any text is lines or faults. */
import assert from "node:assert/strict";
import test from "node:test";
import * as fc from "fast-check";
import { read, render } from "../../src/exchange/format.ts";
import { FORMATS, SHEET_KINDS } from "../../src/exchange/index.ts";
import { compare, judge } from "../../src/exchange/judge.ts";
import { KINDS, keyOfCells } from "../../src/exchange/kinds.ts";
import { byKey } from "../../src/exchange/stored.ts";
import { said } from "./lab.ts";
import { sheet } from "./sheets.ts";

for (const kind of SHEET_KINDS)
  for (const format of FORMATS)
    test(`what ${kind} are written as in ${format} is read as they were`, () => {
      fc.assert(
        fc.property(sheet(kind), (rows) => {
          const text = render(kind, format, rows);
          const { lines, faults } = read(format, text);
          const judged = judge(kind, lines);
          assert.deepEqual([...faults, ...judged.faults], []);
          assert.deepEqual(
            judged.lines.map(({ cells }) => cells),
            rows,
          );
          const { wanted } = compare(kind, byKey(kind, rows), judged.lines, (cells) => keyOfCells(kind, cells));
          assert.ok(wanted.every(({ changed }) => changed.length === 0));
          assert.equal(
            render(
              kind,
              format,
              wanted.map(({ cells }) => cells),
            ),
            text,
          );
        }),
        { numRuns: 50 },
      );
    });

test("any text is lines or faults", () => {
  const any = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.constantFrom('a,"b', "- &a [*a]", "[[[[", "{a: !!js 1}"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...FORMATS), fc.constantFrom(...SHEET_KINDS), any, (format, kind, text) => {
      const { lines, faults } = read(format, text);
      assert.ok(faults.every(({ because }) => because.length > 0));
      judge(kind, lines);
    }),
  );
});

test("every fault is said with its row and column, and more than one at a time", () => {
  const text = 'name,domain,mtu,vlan,colour\nbmc,lab.test,12,5000,red\n,lab.test,1500,,\nb b,,x,,"1\n2"\n';
  const { lines } = read("csv", text);
  assert.deepEqual(said(judge("segments", lines).faults), [
    "row 2, column mtu: too small: expected number to be >=576",
    "row 2, column vlan: too big: expected number to be <=4094",
    `row 2, column colour: is no column of segments: want ${Object.keys(KINDS.segments.columns).join(", ")}`,
    "row 3, column name: must not be empty",
    "row 4, column name: want a host label: letters, digits, hyphens",
    "row 4, column domain: must not be empty",
    "row 4, column mtu: expected number, received string",
  ]);
});
