import assert from "node:assert/strict";
import test from "node:test";
import { Pause } from "../src/batch/pause.ts";

test("wake-ups far apart are never paused for", () => {
  const pause = new Pause();
  for (let now = 0; now < 100; now += 2) {
    pause.woke(now);
    assert.equal(pause.wants(), false);
  }
});

test("wake-ups close together are paused for, as long as each pause finds company", () => {
  const pause = new Pause();
  pause.woke(10);
  pause.woke(10.3);
  assert.equal(pause.wants(), true);
  pause.gave(5, 11.3);
  assert.equal(pause.wants(), true);
  pause.gave(0, 12.3);
  assert.equal(pause.wants(), false);
});

test("one client in lock-step is soon kept waiting but once in 64 milliseconds", () => {
  const pause = new Pause();
  let [pauses, now] = [0, 0];
  while (now < 1000) {
    pause.woke((now += 0.2));
    if (!pause.wants()) continue;
    pauses++;
    pause.gave(1, (now += 1));
  }
  assert.ok(pauses > 0 && pauses <= 24, String(pauses));
});
