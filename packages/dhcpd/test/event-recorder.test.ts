import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventKind } from "@firstlight/api-client";
import { FakeReporter } from "@firstlight/kit";
import { EventRecorder } from "../src/lease/event-recorder.ts";

/** A events on a clock turned by hand. */
function desk(burst = 1000) {
  const reporter = new FakeReporter();
  const leftOut: EventKind[] = [];
  const clock = { at: 0, now: () => clock.at };
  const routine = { perSecond: 10, burst };
  const events = new EventRecorder({ reporter, clock, routine, onLeftOut: (kind) => leftOut.push(kind) });
  const tell = (kind: EventKind, mac: number, key?: string | number): void =>
    events.record(kind, mac, key, () => ({ kind, because: String(key) }));
  return { reporter, leftOut, clock, tell };
}

test("a packet sent again is told once, the next exchange is another event", () => {
  const { tell, reporter, leftOut } = desk();
  for (const xid of [1, 1, 1, 2]) tell("dhcp.discover", 7, xid);
  tell("dhcp.discover", 8, 2);
  assert.equal(reporter.of("dhcp.discover").length, 3);
  assert.equal(leftOut.length, 2);
});

test("the same no is told again after a minute, another no at once", () => {
  const { tell, reporter, clock } = desk();
  for (const because of ["full", "full", "away"]) tell("dhcp.silence", 7, because);
  clock.at = 60_000;
  tell("dhcp.silence", 7, "away");
  assert.deepEqual(
    reporter.of("dhcp.silence").map(({ because }) => because),
    ["full", "away", "away"],
  );
});

test("in a storm the routine is counted alone, and what goes wrong is told all the same", () => {
  const { tell, reporter, leftOut, clock } = desk(100);
  for (let mac = 0; mac < 1000; mac++) tell("dhcp.offer", mac, 1);
  for (let mac = 0; mac < 1000; mac++) tell("dhcp.nak", mac);
  assert.deepEqual(
    [reporter.of("dhcp.offer").length, reporter.of("dhcp.nak").length, leftOut.length],
    [100, 1000, 900],
  );
  clock.at = 1000;
  for (let mac = 1000; mac < 1020; mac++) tell("dhcp.offer", mac, 1);
  assert.equal(reporter.of("dhcp.offer").length, 110);
});
