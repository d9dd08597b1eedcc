import assert from "node:assert/strict";
import { test } from "node:test";
import { Counters } from "../storm/counters.ts";

test("counters give the lines with a reason, and totals over all labels", () => {
  const counters = new Counters([
    "# TYPE firstlight_dhcp_silences_total counter",
    'firstlight_dhcp_silences_total{because="draining"} 3',
    'firstlight_dhcp_silences_total{because="busy"} 0',
    'firstlight_dhcp_commit_batch_size_count{site="bench"} 40',
    "firstlight_dhcp_pending 2",
    "no metrics at 127.0.0.1:1",
  ]);
  assert.deepEqual(counters.reportLines, [
    'firstlight_dhcp_silences_total{because="draining"} 3',
    "no metrics at 127.0.0.1:1",
  ]);
  assert.equal(counters.total("firstlight_dhcp_commit_batch_size_count"), 40);
  assert.equal(counters.total("firstlight_dhcp_pending"), 2);
  assert.equal(counters.total("firstlight_dhcp_pend"), 0);
});
