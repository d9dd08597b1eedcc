import assert from "node:assert/strict";
import { test } from "node:test";
import { AbortFanOut } from "../src/abort-fan-out.ts";

test("every branch aborts with the parent signal's reason", () => {
  const power = new AbortController();
  const fuse = new AbortFanOut(power.signal);
  const [one, other] = [fuse.branch(), fuse.branch()];
  assert.deepEqual([fuse.isAborted, one.aborted, other.aborted], [false, false, false]);
  power.abort("storm");
  assert.deepEqual([fuse.isAborted, one.reason, other.reason], [true, "storm", "storm"]);
  assert.equal(fuse.branch().aborted, true, "nor is there power for one that comes later");
});
