import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH, Reading } from "../src/reading.ts";

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

test("a reader that is behind is waited for until it has left nothing", async () => {
  const reading = new Reading();
  let isQuiet = false;
  reading.took(BATCH);
  void reading.quiet().then(() => (isQuiet = true));
  await turns();
  reading.took(BATCH);
  await turns();
  assert.equal(isQuiet, false);
  reading.took(BATCH - 1);
  await turns();
  assert.equal(isQuiet, true);
});

test("a reader with nothing to read is waited for no longer than a few turns", async () => {
  const reading = new Reading();
  await reading.quiet();
  reading.took(1);
  await reading.quiet();
});
