import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { reportSchema } from "../harness/report.ts";

const RESULTS = resolve(import.meta.dirname, "../results");
const files = readdirSync(RESULTS);
const read = (file: string): unknown => JSON.parse(readFileSync(join(RESULTS, file), "utf8"));

for (const file of files) {
  test(`results/${file} follows the schema of a report`, () => {
    const report = reportSchema.parse(read(file));
    assert.equal(`${report.bench}.json`, file);
    assert.ok(Object.keys(report.results).some((name) => name.startsWith("firstlight")));
  });
}

test("every bench has a report", () => {
  const names = reportSchema.shape.bench.options.map((name) => `${name}.json`);
  assert.deepEqual(files.toSorted(), names.toSorted());
});

test("an unknown peer, a missing ratio, a wrong mark, a wrong number and an unknown field are refused", () => {
  const report = reportSchema.parse(read("dns.json"));
  const isRefused = (change: object): boolean => !reportSchema.safeParse({ ...report, ...change }).success;
  assert.ok(!isRefused({}));
  assert.ok(isRefused({ ratios: { ...report.ratios, powerdns: 1 } }));
  assert.ok(isRefused({ ratios: {} }));
  assert.ok(isRefused({ foreignCpu: 0.5, isMarked: false }));
  assert.ok(isRefused({ results: { firstlight: { ...report.results["firstlight"], median: Number.NaN } } }));
  assert.ok(isRefused({ remark: "none" }));
});
