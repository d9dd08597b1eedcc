import assert from "node:assert/strict";
import test from "node:test";
import { WakeupCoalescer } from "../src/batch/wakeup-coalescer.ts";

test("wake-ups far apart are not delayed", () => {
  const coalescer = new WakeupCoalescer();
  for (let now = 0; now < 100; now += 2) {
    coalescer.onWakeup(now);
    assert.equal(coalescer.shouldDelay(), false);
  }
});

test("close wake-ups are delayed while each delay gathers packets", () => {
  const coalescer = new WakeupCoalescer();
  coalescer.onWakeup(10);
  coalescer.onWakeup(10.3);
  assert.equal(coalescer.shouldDelay(), true);
  coalescer.onDelayedRead(5, 11.3);
  assert.equal(coalescer.shouldDelay(), true);
  coalescer.onDelayedRead(0, 12.3);
  assert.equal(coalescer.shouldDelay(), false);
});

test("a lock-step client is delayed at most once in 64 ms", () => {
  const coalescer = new WakeupCoalescer();
  let [pauses, now] = [0, 0];
  while (now < 1000) {
    coalescer.onWakeup((now += 0.2));
    if (!coalescer.shouldDelay()) continue;
    pauses++;
    coalescer.onDelayedRead(1, (now += 1));
  }
  assert.ok(pauses > 0 && pauses <= 24, String(pauses));
});
