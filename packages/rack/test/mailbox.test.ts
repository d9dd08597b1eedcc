import assert from "node:assert/strict";
import { test } from "node:test";
import { createMailbox } from "../src/mailbox.ts";

const clock = { now: () => 0 };
const power = new AbortController();

test("nothing came only when all that had arrived was put, and what is put meanwhile is there at once", async () => {
  const settled = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const mailbox = createMailbox<string>(clock, power.signal, () => {
    asked.resolve();
    return settled.promise;
  });
  const first = mailbox.next(0);
  await asked.promise;
  mailbox.put("late, but here");
  assert.equal(await first, "late, but here");
  const second = mailbox.next(0);
  settled.resolve();
  assert.equal(await second, undefined);
});
