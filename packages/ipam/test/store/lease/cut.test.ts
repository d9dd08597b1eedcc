/** A writer whose connection to the database is really cut, at any point of a transaction, while another one goes on. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { CUTS, type Cut, cuttingProxy } from "@firstlight/kit";
import { formatAddress, formatMac } from "@firstlight/wire";
import * as fc from "fast-check";
import { toIdentity } from "../../../src/database/rows.ts";
import type { LeaseRequest, Outcome } from "../../../src/model/lease.ts";
import { createStore } from "../../../src/store/create.ts";
import { back, bind, ground, said, stranger } from "../../ground.ts";
import { inTable, mustRest, newHolders, pass } from "../../history/tenure.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const line = parts.use(await cuttingProxy(site.url));
const near = site.store;
const far = parts.use(createStore({ url: line.url, name: "far", poolSize: 2 }));
const open = site.segments["open"]!;

const heldBy = async (address: string): Promise<string | undefined> =>
  (await inTable(site)).find((row) => row.address === address && row.state === "bound")?.mac;

/** What it takes for a writer to know: durable or not, and whether it may say so. */
const ENDS: Readonly<Record<Cut, { readonly isDurable: boolean; readonly isKnown: boolean }>> = {
  within: { isDurable: false, isKnown: false },
  "before commit": { isDurable: false, isKnown: false },
  "with commit": { isDurable: true, isKnown: false },
  "before the answer": { isDurable: true, isKnown: false },
  "after the answer": { isDurable: true, isKnown: true },
};

for (const [n, cut] of CUTS.entries()) {
  const { isDurable, isKnown } = ENDS[cut];
  test(`a line cut ${cut}: the promise is ${isDurable ? "durable" : "not made"}, and ${isKnown ? "known" : "nobody says it"}; asked again it stands`, async () => {
    const [who, address] = [stranger(n), `10.0.0.${100 + n}`];
    line.cutNext(cut);
    const committed = far.commit([bind(open, who, address)], "far");
    if (isKnown) assert.equal(said((await committed)[0]), `bound ${address}`);
    else await assert.rejects(committed);
    assert.equal(line.made[cut], 1);
    await settled();
    assert.equal(await heldBy(address), isDurable ? formatMac(who) : undefined);
    const [rival] = await near.commit([bind(open, stranger(50 + n), address)], "near");
    assert.equal(said(rival), isDurable ? "address-bound-elsewhere" : `bound ${address}`);
    const [again] = await far.commit([bind(open, who, address)], "far");
    assert.equal(said(again), isDurable ? `bound ${address}` : "address-bound-elsewhere");
  });
}

/** Transactions of which the client has gone are over, one way or the other. */
async function settled(): Promise<void> {
  for (;;) {
    const rows = await site.sql(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'firstlight/far'
         AND (xact_start IS NOT NULL OR state = 'active')`,
    );
    if (rows.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A promise that was spoken, and until when, in hours of the test's own time. */
interface Promised {
  readonly address: string;
  readonly mac: string;
  readonly until: number;
}

/** Three devices, three addresses. */
const request = fc
  .record({ mac: fc.nat(2), host: fc.integer({ min: 20, max: 22 }), act: fc.constantFrom("bind", "bind", "release") })
  .map(({ mac, host, act }): LeaseRequest => {
    const [who, address] = [stranger(200 + mac), `10.0.0.${host}`];
    return act === "bind" ? bind(open, who, address, { leaseSeconds: 7200 }) : back("release", open, who, address);
  });
const batch = fc.uniqueArray(request, {
  minLength: 1,
  maxLength: 3,
  selector: ({ segment, identity }) => `${segment} ${identity}`,
});
const round = fc.record({
  cut: fc.constantFrom(...CUTS, undefined),
  far: batch,
  near: fc.array(batch, { maxLength: 2 }),
  hours: fc.constantFrom(0, 0, 1, 3, 23.9, 24.2, 27),
});

const LEASE_HOURS = 2;
const MARGIN_HOURS = 1 / 60;

test("whatever line is cut: nobody has an address before its promise and grace are over, and no promise that was spoken is broken", async (t) => {
  const made = { ...line.made };
  let [spoken, unknown] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 6 }), async (rounds) => {
      let hour = 0;
      let promises: Promised[] = [];
      for (const { cut, far: asked, near: others, hours } of rounds) {
        const before = await inTable(site);
        if (cut !== undefined) line.cutNext(cut);
        const [told, ...theirs] = await Promise.all([
          far.commit(asked, "far").catch(() => undefined),
          ...others.map((batch) => near.commit(batch, "near")),
        ]);
        await settled();
        const after = await inTable(site);
        mustRest(before, after);
        for (const { address, mac } of newHolders(before, after))
          assert.equal(
            promises.find((one) => one.address === address && one.mac !== mac && one.until > hour + 0.01),
            undefined,
            `${address} is ${mac}'s at ${hour} h`,
          );
        const kept = asked.flatMap((request) => outOfReach(request, before, hour));
        // Of an unknown outcome only what stood before it is said again, and no longer than it rests anyway.
        const fresh = told === undefined ? kept : told.flatMap((outcome) => promisedIn(outcome, hour));
        for (const { address, mac } of told === undefined ? [] : fresh) {
          const row = after.find((one) => one.address === address);
          assert.equal(row?.mac, mac, `${address} was promised and is not in the table`);
        }
        promises = [...promises, ...fresh, ...theirs.flat().flatMap((outcome) => promisedIn(outcome, hour))];
        promises = promises.filter(({ address, mac }) => !isReleased(theirs.flat(), address, mac));
        if (told === undefined) unknown++;
        spoken += fresh.length;
        await pass(site, hours);
        hour += hours;
      }
    }),
    { numRuns: 40 },
  );
  const cuts = CUTS.map((cut) => `${cut} ${line.made[cut] - made[cut]}`);
  t.diagnostic(`cuts: ${cuts.join(", ")}; ${unknown} outcomes unknown, ${spoken} promises of the far writer`);
  for (const cut of CUTS) assert.ok(line.made[cut] > made[cut], `${cut} came up`);
});

function promisedIn(outcome: Outcome, hour: number): Promised[] {
  if (outcome.is !== "bound") return [];
  const { address, identity } = outcome.lease;
  return [{ address: formatAddress(address), mac: toIdentity(identity), until: hour + LEASE_HOURS }];
}

/** What dhcpd says of a renewal while it has no database: `standing` of its grace, from what it knew before. */
function outOfReach(request: LeaseRequest, before: Awaited<ReturnType<typeof inTable>>, hour: number): Promised[] {
  const address = formatAddress(request.address);
  const row = before.find((one) => one.address === address);
  if (request.do !== "bind" || row?.state !== "bound" || row.mac !== toIdentity(request.identity)) return [];
  const leftHours = Math.min(LEASE_HOURS, row.restsHours - MARGIN_HOURS);
  return leftHours <= 0 ? [] : [{ address, mac: row.mac, until: hour + leftHours }];
}

const isReleased = (outcomes: readonly Outcome[], address: string, mac: string): boolean =>
  outcomes.some(
    (one) =>
      one.is === "givenBack" && formatAddress(one.lease.address) === address && toIdentity(one.lease.identity) === mac,
  );
