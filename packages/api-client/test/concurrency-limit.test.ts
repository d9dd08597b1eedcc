import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import { ConcurrencyLimit } from "../src/concurrency-limit.ts";

/** Calls that end when they are told to. */
function calls(options: { most: number; mostWaiting?: number; maxWaitMs?: number }) {
  const limit = new ConcurrencyLimit({ mostWaiting: 10, maxWaitMs: 60_000, ...options });
  const begun: number[] = [];
  const ends = new Map<number, PromiseWithResolvers<number>>();
  const pass = (n: number): Promise<number> =>
    limit.run("decide", () => {
      begun.push(n);
      const end = Promise.withResolvers<number>();
      ends.set(n, end);
      return end.promise;
    });
  return { pass, begun, ends };
}

test("waiting calls run in order, also after a failed call", async () => {
  const { pass, begun, ends } = calls({ most: 2 });
  const all = [1, 2, 3, 4, 5].map(pass);
  await turn();
  assert.deepEqual(begun, [1, 2]);
  ends.get(2)!.reject(new Error("no"));
  await assert.rejects(all[1]!, /no/);
  await turn();
  assert.deepEqual(begun, [1, 2, 3]);
  for (const n of [1, 3, 4, 5]) {
    ends.get(n)!.resolve(n);
    await turn();
  }
  assert.deepEqual(await Promise.all(all.toSpliced(1, 1)), [1, 3, 4, 5]);
  const later = pass(6);
  await turn();
  ends.get(6)!.resolve(6);
  assert.equal(await later, 6, "every place was given back");
});

test("a full queue rejects at once and waiting is bounded in time", async () => {
  const { pass, ends } = calls({ most: 1, mostWaiting: 1, maxWaitMs: 5 });
  const first = pass(1);
  const second = pass(2);
  await assert.rejects(pass(3), { code: "FL_API_UNAVAILABLE", message: /1 calls are under way and 1 wait/ });
  await assert.rejects(second, { code: "FL_API_UNAVAILABLE", message: /no turn within 5 ms/ });
  ends.get(1)!.resolve(1);
  assert.equal(await first, 1);
});
