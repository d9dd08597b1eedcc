import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { OfferHolds } from "../src/lease/offer-holds.ts";

test("a hold keeps others off until its time is over, whoever else was held, dropped or came again", () => {
  const step = fc.record({ address: fc.nat(5), mac: fc.nat(2), waitMs: fc.nat(40), isDrop: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const holds = new OfferHolds(100, 1000);
      const model = new Map<number, { readonly mac: number; readonly until: number }>();
      let now = 0;
      for (const { address, mac, waitMs, isDrop } of steps) {
        now += waitMs;
        if (isDrop) {
          holds.drop(address);
          model.delete(address);
        } else {
          holds.hold(address, mac, now);
          model.set(address, { mac, until: now + 100 });
        }
        for (const [held, one] of model) assert.equal(holds.isHeld(held, 99, now), one.until > now);
      }
    }),
  );
});

test("no more are held than there may be, and the oldest goes first", () => {
  const holds = new OfferHolds(1000, 3);
  for (const address of [1, 2, 3, 1, 4]) holds.hold(address, 7, 0);
  assert.deepEqual(
    [1, 2, 3, 4].map((address) => holds.isHeld(address, 8, 1)),
    [true, false, true, true],
  );
});
