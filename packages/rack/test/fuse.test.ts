import assert from "node:assert/strict";
import { test } from "node:test";
import { Fuse } from "../src/fuse.ts";

test("every branch aborts with the power, for its reason", () => {
  const power = new AbortController();
  const fuse = new Fuse(power.signal);
  const [one, other] = [fuse.branch(), fuse.branch()];
  assert.deepEqual([fuse.isBlown, one.aborted, other.aborted], [false, false, false]);
  power.abort("storm");
  assert.deepEqual([fuse.isBlown, one.reason, other.reason], [true, "storm", "storm"]);
  assert.equal(fuse.branch().aborted, true, "nor is there power for one that comes later");
});
