import assert from "node:assert/strict";
import { test } from "node:test";
import { createEventQueue } from "../src/event-queue.ts";

const clock = { now: () => 0 };
const power = new AbortController();

test("a timeout is reported only after all arrived events are queued", async () => {
  const settled = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const queue = createEventQueue<string>(clock, power.signal, () => {
    asked.resolve();
    return settled.promise;
  });
  const first = queue.next(0);
  await asked.promise;
  queue.put("late, but here");
  assert.equal(await first, "late, but here");
  const second = queue.next(0);
  settled.resolve();
  assert.equal(await second, undefined);
});
