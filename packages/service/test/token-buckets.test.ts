import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { TokenBuckets, RateLimit } from "../src/index.ts";

test("each key gets its burst, then its rate", () => {
  const limit = new RateLimit<string>({ perSecond: 2, burst: 3 }, 10);
  assert.deepEqual(
    [0, 0, 0, 0].map((now) => limit.take("a", now)),
    [true, true, true, false],
  );
  assert.ok(limit.take("b", 0));
  assert.ok(!limit.take("a", 499));
  assert.ok(limit.take("a", 500));
  assert.ok(!limit.take("a", 500));
});

test("the least recently used bucket is evicted beyond the limit of keys", () => {
  const once = { perSecond: 0, burst: 1 };
  const buckets = new TokenBuckets<string>(2);
  assert.deepEqual(
    ["a", "b", "a", "c", "a", "b"].map((key) => buckets.take(key, once, 0)),
    [true, true, false, true, false, true],
  );
});

test("a clock set back delays a key by at most one token's time", () => {
  const limit = new RateLimit<string>({ perSecond: 1, burst: 1 }, 1);
  assert.ok(limit.take("a", 3_600_000));
  assert.ok(!limit.take("a", 0));
  assert.ok(limit.take("a", 1_000));
});

test("law: the tokens taken equal what burst and elapsed time allow", () => {
  const steps = fc.array(fc.nat(2_000), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), steps, (perSecond, burst, waits) => {
      const limit = new RateLimit<string>({ perSecond, burst }, 4);
      let [now, taken] = [0, 0];
      for (const wait of waits) {
        now += wait;
        if (limit.take("a", now)) taken++;
        if (taken > burst + (now * perSecond) / 1000) return false;
      }
      return taken >= Math.min(waits.length, burst);
    }),
  );
});
