import assert from "node:assert/strict";
import { test } from "node:test";
import { timeText } from "../src/print.ts";

test("a time is this machine's date and time, or UTC and marked so", () => {
  const at = { seconds: 1_795_241_546n, nanos: 7_000_000 };
  assert.equal(timeText(at, { utc: true }), "2026-11-21 06:12:26Z");
  assert.match(timeText(at), /^2026-11-2\d \d\d:\d\d:26$/);
  assert.match(timeText(at, { utc: true, withMs: true }), /:26\.007Z$/);
  assert.equal(timeText(undefined, { withMs: true }), "");
});
