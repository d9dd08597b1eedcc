import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Operator } from "@firstlight/api-client";
import { lived, type Page, recorded, stepsOf } from "./ledger.ts";
import { live, type Live, skip } from "./live.ts";

const MACHINES = ["r1-m01", "r1-m02", "r1-m03", "r1-m04", "r1-m05", "r1-m06"];

test("the API killed in the middle of a rack's boot costs nothing but time", { skip, timeout: 180_000 }, async (t) => {
  const { signal } = t;
  await using site = await live(signal, ["--rack", "--machines", String(MACHINES.length)], {
    RACK__STAGGER_MS: "400", // the last machine gets power two seconds after the first
    PXE_HTTP__WAIT_SECONDS: "1",
  });
  await site.seen(/r1-m01 +host runs its boot script/);
  const first = await site.pid("api");
  process.kill(first, "SIGKILL");
  process.kill(await site.pid("api", first), "SIGKILL"); // and again while it starts
  const powered = site.output.filter((line) => line.includes("has power")).length;
  assert.ok(powered < MACHINES.length * 3, "in the middle of the boot");

  await site.seen(new RegExp(`^All ${MACHINES.length} machines are Ready`));
  assert.equal(site.output.filter((line) => line.includes("died with SIGKILL")).length, 2, site.output.join("\n"));
  using operator = site.operator();

  await t.test("every machine moved to booting and to ready, once", async () => {
    for (const machine of MACHINES) {
      const { events } = await operator.machines.getTimeline({ machine, limit: 5000 });
      const moves = events.filter(({ kind }) => kind === "machine.state").map(({ detail }) => detail["to"]);
      assert.deepEqual(moves, ["booting", "ready"], machine);
    }
  });
  for (const page of ["scripts", "artefacts", "documents", "calls", "leases", "transfers"] as const) {
    await t.test(`${page}: what the rack lived is on record, once each`, () => balances(site, operator, page));
  }
  assert.equal(await site.stop(), 0, site.output.join("\n"));
});

/** Both sides of one page are alike: at once, or when what is spooled has arrived. */
async function balances(site: Live, operator: Operator, page: Page): Promise<void> {
  const end = Date.now() + 15_000;
  for (;;) {
    const events = await eventsOf(operator);
    const [ours, theirs] = [lived(page, stepsOf(site.log("rack"))), recorded(page, events)];
    if (isDeepStrictEqual(theirs, ours)) return assert.ok(ours.size > 0);
    if (Date.now() > end) return assert.deepEqual(theirs, ours);
    await sleep(250);
  }
}

async function eventsOf(operator: Operator) {
  const timelines = MACHINES.map((machine) => operator.machines.getTimeline({ machine, limit: 5000 }));
  return (await Promise.all(timelines)).flatMap(({ events }) => events);
}
