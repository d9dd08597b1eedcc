import assert from "node:assert/strict";
import test from "node:test";
import { array, assert as check, constant, constantFrom, oneof, property } from "fast-check";
import { emptySpool, SPOOL, type Spool, type SpoolEffect, type SpoolEvent, step } from "../src/spool.ts";

/** Feeds events one after another at one time; the last one's effects come back. */
function play(spool: Spool, events: readonly SpoolEvent[], now = 0): [Spool, SpoolEffect[]] {
  return events.reduce<[Spool, SpoolEffect[]]>(([state], event) => step(state, event, now), [spool, []]);
}

const told = (count: number): SpoolEvent[] => Array.from({ length: count }, () => ({ is: "told" }));

test("events of one moment are sent as one batch", () => {
  const [spool, effects] = play(emptySpool, [...told(3), { is: "tick" }]);
  assert.deepEqual(effects, [
    { do: "hold", count: 3 },
    { do: "send", count: 3 },
  ]);
  assert.equal(spool.sending, 3);
});

test("the next batch is sent after the acknowledgement of the last", () => {
  let [spool, effects] = play(emptySpool, [...told(300), { is: "tick" }]);
  assert.deepEqual(effects.at(-1), { do: "send", count: 256 });
  [spool, effects] = step(spool, { is: "tick" }, 1);
  assert.deepEqual(effects, []);
  [spool, effects] = step(spool, { is: "acknowledged" }, 2);
  assert.deepEqual(effects, [
    { do: "release", count: 256 },
    { do: "hold", count: 44 },
    { do: "send", count: 44 },
  ]);
  assert.equal(spool.held, 44);
});

test("a batch is retried with growing delays while the API is away", () => {
  let [spool, effects] = play(emptySpool, [...told(2), { is: "tick" }]);
  const pauses: number[] = [];
  let now = 0;
  for (let i = 0; i < 8; i++) {
    [spool] = step(spool, { is: "away", jitter: 1 }, now);
    pauses.push(spool.retryAt - now);
    [spool, effects] = step(spool, { is: "tick" }, spool.retryAt - 1);
    assert.deepEqual(effects, []);
    now = spool.retryAt;
    [spool, effects] = step(spool, { is: "tick" }, now);
    assert.deepEqual(effects, [{ do: "send", count: 2 }]);
  }
  assert.deepEqual(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test("a full spool drops its oldest waiting event", () => {
  let [spool] = play(emptySpool, [...told(SPOOL.capacity), { is: "tick" }]);
  let effects: SpoolEffect[];
  [spool, effects] = step(spool, { is: "told" }, 1);
  assert.deepEqual(effects, [{ do: "drop", because: "overflow" }]);
  assert.deepEqual([spool.waiting, spool.held], [SPOOL.capacity - 256, 256]);
});

test("only the refused event of a batch is discarded", () => {
  const events = Array.from({ length: 1000 }, (_, i) => i);
  const poison = 321;
  let [spool, effects] = play(emptySpool, [...told(events.length), { is: "tick" }]);
  let held: number[] = [];
  const stored: number[] = [];
  let sends = 0;
  while (effects.length > 0) {
    let batch: number[] = [];
    for (const effect of effects) {
      if (effect.do === "hold") held.push(...events.splice(0, effect.count));
      if (effect.do === "release") stored.push(...held.splice(0, effect.count));
      if (effect.do === "discard") held = held.slice(1);
      if (effect.do === "send") batch = held.slice(0, effect.count);
    }
    if (batch.length === 0) break;
    sends++;
    [spool, effects] = step(spool, { is: batch.includes(poison) ? "refused" : "acknowledged" }, 0);
  }
  assert.deepEqual(
    stored,
    Array.from({ length: 1000 }, (_, i) => i).filter((i) => i !== poison),
  );
  assert.ok(sends < 40, `${sends} sends`);
});

test("law: the counts account for every event", () => {
  const events = array(
    oneof(
      { weight: 6, arbitrary: constant<SpoolEvent>({ is: "told" }) },
      { weight: 2, arbitrary: constant<SpoolEvent>({ is: "tick" }) },
      constantFrom<SpoolEvent>({ is: "acknowledged" }, { is: "refused" }, { is: "away", jitter: 0.5 }),
    ),
    { maxLength: 400 },
  );
  check(
    property(events, (list) => {
      let spool = emptySpool;
      let [count, gone, now] = [0, 0, 0];
      for (const event of list) {
        const isAnswer = event.is !== "told" && event.is !== "tick";
        if (isAnswer && spool.sending === 0) continue; // nothing is under way that could be answered
        if (event.is === "told") count++;
        let effects: SpoolEffect[];
        [spool, effects] = step(spool, event, (now += 100));
        for (const effect of effects) {
          if (effect.do === "release") gone += effect.count;
          if (effect.do === "discard" || effect.do === "drop") gone += 1;
        }
        assert.equal(spool.waiting + spool.held + gone, count);
        assert.ok(spool.sending <= spool.held && spool.held <= SPOOL.batch && spool.waiting >= 0);
      }
    }),
  );
});
