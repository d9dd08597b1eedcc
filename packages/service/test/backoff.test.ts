import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { backoffMs } from "../src/index.ts";

test("back-off doubles up to its bound, half of it random", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0, { baseMs: 100, maxMs: 1000 })),
    [50, 100, 200, 400, 500],
  );
  assert.equal(backoffMs(3, 0.5, { baseMs: 100, maxMs: 1000 }), 600);
});

test("law: back-off stays between zero and its bound", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, jitter) => {
      const ms = backoffMs(attempt, jitter);
      return ms >= 50 && ms <= 30_000;
    }),
  );
});
