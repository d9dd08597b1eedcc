import assert from "node:assert/strict";
import { test } from "node:test";
import { array, assert as check, constant, nat, oneof, property, record, tuple } from "fast-check";
import {
  type Child,
  DEATHS,
  type Effect,
  type Event,
  IDLE,
  READY_MS,
  step,
  STOP_MS,
  WINDOW_MS,
} from "../src/process/supervise.ts";

/** Tells a story: each event at its time; all effects in order. */
function tell(events: readonly (readonly [now: number, event: Event])[], from: Child = IDLE): [Child, Effect[]] {
  let child = from;
  const all: Effect[] = [];
  for (const [now, event] of events) {
    const [next, effects] = step(child, event, now, 0.5);
    child = next;
    all.push(...effects);
  }
  return [child, all];
}

const START: Event = { is: "start" };
const READY: Event = { is: "ready" };
const STOP: Event = { is: "stop" };
const TICK: Event = { is: "tick" };
const DIED: Event = { is: "exit", code: null, signal: "SIGKILL" };
const doing = (effects: readonly Effect[]): string[] => effects.map((effect) => effect.do);

test("a daemon that died rests before it starts again, longer each time", () => {
  let [child, effects] = tell([
    [0, START],
    [500, READY],
    [1000, DIED],
  ]);
  assert.deepEqual(doing(effects), ["spawn", "rest"]);
  const rested = child.wakeAt - 1000;
  assert.deepEqual(doing(step(child, TICK, child.wakeAt - 1, 0.5)[1]), [], "not before its rest is over");
  [child, effects] = tell([[child.wakeAt, TICK]], child);
  assert.deepEqual(doing(effects), ["spawn"]);
  [child] = tell([[2000, DIED]], child);
  assert.ok(child.wakeAt - 2000 > rested);
});

test("a daemon that dies too often is given up, with how it died last", () => {
  let child = IDLE;
  let effects: Effect[] = tell([[0, START]])[1];
  [child] = tell([[0, START]]);
  for (let death = 1; death <= DEATHS; death += 1)
    [child, effects] = tell(
      [
        [child.wakeAt, TICK],
        [death * 1000, DIED],
      ],
      { ...child, wakeAt: 0 },
    );
  assert.equal(child.is, "given-up");
  const last = effects.at(-1);
  assert.ok(last?.do === "give-up" && /died 5 times .* SIGKILL/.test(last.because));
});

test("deaths of long ago are forgotten", () => {
  let [child] = tell([[0, START]]);
  for (let death = 1; death <= 3 * DEATHS; death += 1)
    [child] = tell(
      [
        [death * WINDOW_MS, DIED],
        [death * WINDOW_MS + 60_000 - 1, TICK],
      ],
      child,
    );
  assert.equal(child.is, "starting");
});

test("a daemon that refuses its configuration is not started again", () => {
  const [child, effects] = tell([
    [0, START],
    [100, { is: "exit", code: 2, signal: null }],
  ]);
  assert.equal(child.is, "given-up");
  assert.deepEqual(doing(effects), ["spawn", "give-up"]);
});

test("one that does not come up, or does not stop, is killed when patience ends", () => {
  const [late, killed] = tell([
    [0, START],
    [READY_MS, TICK],
  ]);
  assert.deepEqual(killed.at(-1), { do: "kill", signal: "SIGKILL" });
  assert.equal(late.is, "starting", "its exit is the next event");
  const [, stubborn] = tell([
    [0, START],
    [1, READY],
    [1000, STOP],
    [1000 + STOP_MS, TICK],
  ]);
  assert.deepEqual(stubborn.slice(1), [
    { do: "kill", signal: "SIGTERM" },
    { do: "kill", signal: "SIGKILL" },
  ]);
});

test("stopped in its rest, it is gone at once and never comes back", () => {
  const [child, effects] = tell([
    [0, START],
    [10, DIED],
    [20, STOP],
    [100_000, TICK],
    [100_000, START],
  ]);
  assert.equal(child.is, "gone");
  assert.deepEqual(doing(effects), ["spawn", "rest"]);
});

test("whatever happens, after a stop nothing is spawned, and there is never more than one process", () => {
  const event = oneof(
    constant(START),
    constant(READY),
    constant(STOP),
    constant(TICK),
    record({ is: constant("exit" as const), code: nat(3), signal: constant(null) }),
  );
  check(
    property(array(tuple(nat(20_000), event), { maxLength: 60 }), (story) => {
      let child = IDLE;
      let [now, running, isStopped] = [0, false, false];
      for (const [later, happens] of story) {
        now += later;
        if (happens.is === "exit" && !running) continue; // what does not run cannot exit
        if (happens.is === "exit") running = false;
        const [next, effects] = step(child, happens, now, 0.5);
        child = next;
        for (const effect of effects) {
          if (effect.do !== "spawn") continue;
          assert.equal(running, false, "two processes of one daemon");
          assert.equal(isStopped, false, "spawned after a stop");
          running = true;
        }
        isStopped ||= happens.is === "stop";
      }
    }),
  );
});
