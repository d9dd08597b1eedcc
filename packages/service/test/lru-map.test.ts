import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LruMap } from "../src/limit/lru-map.ts";

test("the least recently used entry is evicted first", () => {
  const recent = new LruMap<string, number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.get("a");
  recent.set("c", 3);
  assert.deepEqual([recent.get("a"), recent.get("b"), recent.get("c")], [1, undefined, 3]);
});

test("law: the map holds exactly the most recently used entries", () => {
  const step = fc.record({ key: fc.nat(9), isRead: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const recent = new LruMap<number, number>(limit);
      let model: (readonly [key: number, value: number])[] = [];
      for (const [value, { key, isRead }] of steps.entries()) {
        const known = model.find((entry) => entry[0] === key);
        if (isRead) assert.equal(recent.get(key), known?.[1]);
        else recent.set(key, value);
        const newest = isRead ? known : ([key, value] as const);
        if (newest) model = [...model.filter((entry) => entry[0] !== key), newest].slice(-limit);
      }
      for (const [key, value] of model) assert.equal(recent.get(key), value);
    }),
  );
});
