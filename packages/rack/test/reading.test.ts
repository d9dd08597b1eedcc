import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { BATCH, Reading } from "../src/reading.ts";

test("a wait lasts while the reader receives full batches", async () => {
  const reading = new Reading();
  let isQuiet = false;
  void reading.quiet().then(() => (isQuiet = true));
  for (let i = 0; i < 20; i++) {
    reading.took(BATCH);
    await turn();
    assert.equal(isQuiet, false);
  }
  for (let i = 0; i < 6; i++) await turn();
  assert.equal(isQuiet, true, "a full batch with nothing behind it is no reason to wait for ever");
});

test("a short batch ends the wait", async () => {
  const reading = new Reading();
  const quiet = reading.quiet();
  for (let i = 0; i < 3; i++) {
    reading.took(BATCH);
    await turn();
  }
  reading.took(BATCH - 1);
  const always = setInterval(() => reading.took(BATCH));
  await quiet;
  clearInterval(always);
  assert.ok(reading.behindMs > 0);
});
