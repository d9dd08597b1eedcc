import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { BATCH, ReadProgress } from "../src/read-progress.ts";

test("a wait lasts while the reader receives full batches", async () => {
  const progress = new ReadProgress();
  let isQuiet = false;
  void progress.quiet().then(() => (isQuiet = true));
  for (let i = 0; i < 20; i++) {
    progress.took(BATCH);
    await turn();
    assert.equal(isQuiet, false);
  }
  for (let i = 0; i < 6; i++) await turn();
  assert.equal(isQuiet, true, "a full batch with nothing behind it is no reason to wait for ever");
});

test("a short batch ends the wait", async () => {
  const progress = new ReadProgress();
  const quiet = progress.quiet();
  for (let i = 0; i < 3; i++) {
    progress.took(BATCH);
    await turn();
  }
  progress.took(BATCH - 1);
  const always = setInterval(() => progress.took(BATCH));
  await quiet;
  clearInterval(always);
  assert.ok(progress.behindMs > 0);
});
