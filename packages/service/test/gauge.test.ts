import assert from "node:assert/strict";
import { test } from "node:test";
import { createMetrics, exposeGauge } from "../src/index.ts";

test("a gauge has the value at the time of its scrape", async () => {
  const metrics = createMetrics("lab", "toy");
  let level = 1;
  exposeGauge(metrics, "toy_level", "How much", () => level);
  level = 7;
  assert.match(await metrics.metrics(), /toy_level\{site="lab",daemon="toy"\} 7\n/);
});
