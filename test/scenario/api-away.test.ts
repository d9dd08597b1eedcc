import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Operator } from "@firstlight/api-client";
import { type ActivityName, eventCounts, rackCounts, stepsOf } from "./event-counts.ts";
import { startSite, type RunningSite, skip } from "./running-site.ts";

const MACHINES = ["r1-m01", "r1-m02", "r1-m03", "r1-m04", "r1-m05", "r1-m06"];

test("a rack boots although the API is killed in the middle", { skip, timeout: 180_000 }, async (t) => {
  const { signal } = t;
  await using site = await startSite(signal, ["--rack", "--machines", String(MACHINES.length)], {
    RACK__STAGGER_MS: "400", // the last machine is powered on two seconds after the first
    PXE_HTTP__WAIT_SECONDS: "1",
  });
  await site.untilLine(/r1-m01 +host runs its boot script/);
  const first = await site.pid("api");
  process.kill(first, "SIGKILL");
  process.kill(await site.pid("api", first), "SIGKILL"); // once more, while it starts
  const poweredOn = site.output.filter((line) => line.includes("has power")).length;
  assert.ok(poweredOn < MACHINES.length * 3, "all machines were powered on before the API was killed");

  await site.untilLine(new RegExp(`^All ${MACHINES.length} machines are Ready`));
  assert.equal(site.output.filter((line) => line.includes("died with SIGKILL")).length, 2, site.output.join("\n"));
  using operator = site.operator();

  await t.test("every machine moved to booting and to ready, once", async () => {
    for (const machine of MACHINES) {
      const { events } = await operator.machines.getTimeline({ machine, limit: 5000 });
      const states = events.filter(({ kind }) => kind === "machine.state").map(({ detail }) => detail["to"]);
      assert.deepEqual(states, ["booting", "ready"], machine);
    }
  });
  for (const activity of ["scripts", "artefacts", "documents", "calls", "leases", "transfers"] as const) {
    await t.test(`${activity}: each is recorded once`, () => assertSameCounts(site, operator, activity));
  }
  assert.equal(await site.stop(), 0, site.output.join("\n"));
});

/** Waits until the events have the counts of the rack's log; spooled events may arrive late. */
async function assertSameCounts(site: RunningSite, operator: Operator, activity: ActivityName): Promise<void> {
  const end = Date.now() + 15_000;
  for (;;) {
    const events = await eventsOf(operator);
    const [expected, actual] = [rackCounts(activity, stepsOf(site.log("rack"))), eventCounts(activity, events)];
    if (isDeepStrictEqual(actual, expected)) return assert.ok(expected.size > 0);
    if (Date.now() > end) return assert.deepEqual(actual, expected);
    await sleep(250);
  }
}

async function eventsOf(operator: Operator) {
  const timelines = MACHINES.map((machine) => operator.machines.getTimeline({ machine, limit: 5000 }));
  return (await Promise.all(timelines)).flatMap(({ events }) => events);
}
