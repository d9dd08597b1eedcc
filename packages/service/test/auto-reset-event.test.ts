import assert from "node:assert/strict";
import { test } from "node:test";
import { AutoResetEvent } from "../src/index.ts";

const LONG_MS = 600_000;

test("setting the event ends one wait, the current or the next one", async () => {
  const wakeup = new AutoResetEvent();
  const waiting = wakeup.wait(LONG_MS);
  wakeup.set();
  await waiting;
  wakeup.set();
  wakeup.set();
  await wakeup.wait(LONG_MS);
  let isOver = false;
  const next = wakeup.wait(LONG_MS).then(() => (isOver = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isOver, false);
  wakeup.set();
  await next;
});

test("a wait ends after its timeout when the event is not set", async () => {
  await new AutoResetEvent().wait(1);
});
