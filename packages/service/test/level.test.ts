import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics, exposeLevel } from "../src/index.ts";

test("a level is what it is when it is read", async () => {
  const metrics = createMetrics("lab", "toy");
  let level = 1;
  exposeLevel(metrics, "toy_level", "How much", () => level);
  level = 7;
  assert.match(await metrics.metrics(), /toy_level\{site="lab",daemon="toy"\} 7\n/);
});
