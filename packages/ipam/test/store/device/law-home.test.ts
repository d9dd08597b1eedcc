/** Devices that move between segments as they like, with three writers and the keeper at work: whose names and addresses are whose. */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import * as fc from "fast-check";
import type { PoolClient } from "pg";
import { expectedMachinesSchema, ipamSchema } from "../../../src/config.ts";
import { collect } from "../../../src/history/collect.ts";
import { settle } from "../../../src/history/settle.ts";
import type { LeaseRequest } from "../../../src/model/lease.ts";
import { back, bind, ground, mac, stranger } from "../../ground.ts";
import { inTable, mustRest, pass } from "../../history/tenure.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const pool = parts.adopt(testPool(site.url, 1), (pool) => pool.end());
const stores = [site.store, site.anotherStore(), site.anotherStore()];

/** Of one kind and VRF, each with its own word about devices that leave it; of another kind; predicted or not. */
const SEGMENTS = [
  { name: "moving", rehome: "move" },
  { name: "keeping", rehome: "keep" },
  { name: "closing", rehome: "refuse" },
  { name: "retaining", policy: "retained" },
  { name: "tenants", kind: "tenant", policy: "preserved", domain: "tenants.test" },
] as const;
const DEVICES = [1, 2, 3].map((n) => mac(`02:00:00:00:0c:0${n}`));
const { segments } = await site.store.declare(
  {
    ipam: ipamSchema.parse({
      domains: [{ name: "lab.test" }, { name: "tenants.test" }],
      segments: SEGMENTS.map((segment, n) => ({
        domain: "lab.test",
        prefixes: [{ prefix: `10.50.${n}.0/28` }],
        ...segment,
      })),
    }),
    expectedMachines: expectedMachinesSchema.parse(
      DEVICES.map((_, n) => ({
        name: `d${n + 1}`,
        interfaces: [
          { mac: `02:00:00:00:0c:0${n + 1}`, role: "host", ...(n < 2 && { segment: SEGMENTS[n + 2]!.name }) },
        ],
      })),
    ),
  },
  "config",
);
const places = segments.map(({ id }, n) => ({ id, net: `10.50.${n}` }));

const request = fc
  .record({
    device: fc.constantFrom(...DEVICES, stranger(1)),
    place: fc.constantFrom(...places),
    host: fc.integer({ min: 1, max: 4 }),
    act: fc.constantFrom("bind", "bind", "bind", "bind", "release", "decline"),
  })
  .map(({ device, place, host, act }): LeaseRequest => {
    const address = `${place.net}.${host}`;
    return act === "bind" ? bind(place.id, device, address) : back(act, place.id, device, address);
  });
const batch = fc.uniqueArray(request, { maxLength: 3, selector: ({ segment, identity: one }) => `${segment} ${one}` });
const round = fc.record({
  batches: fc.tuple(batch, batch, batch),
  keeper: fc.boolean(),
  hours: fc.constantFrom(0, 0, 0.05, 0.2, 24.3, 60),
});

test("a device that moves keeps its names to itself and cuts no promise short, whoever writes at the same time", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
      for (const { batches, keeper, hours } of rounds) {
        const before = await inTable(site);
        await Promise.all([
          ...batches.map((requests, n) => stores[n]!.commit(requests, "daemon/dhcpd")),
          keeper ? keep() : undefined,
        ]);
        mustRest(before, await inTable(site));
        await mustHold();
        if (hours > 0) await pass(site, hours);
      }
      await keep();
      await mustBeAtHome();
    }),
    { numRuns: 40 },
  );
  const [told] = await site.sql(`SELECT count(*) FILTER (WHERE "row" ->> 'is' = 'moved') > 0 AS moved,
    count(*) FILTER (WHERE "row" ->> 'is' = 'promoted') > 0 AS promoted FROM ipam.change_pending WHERE kind = 'arrival'`);
  assert.deepEqual(told, { moved: true, promoted: true }, "the runs came by what they are about");
});

/** As the keeper does it, over everything. */
async function keep(): Promise<void> {
  for (const act of [settle, (client: PoolClient, slice: { after: number; to: number }) => collect(client, slice, 2)]) {
    const client = await pool.connect();
    try {
      await client.query("BEGIN");
      await act(client, { after: 0, to: 1_000_000_000 });
      await client.query("COMMIT");
    } finally {
      client.release();
    }
  }
}

interface Place {
  readonly mac: string;
  readonly id: number;
  readonly segment: string;
  readonly state: string | null;
  readonly machine: string | null;
  readonly label: string | null;
  readonly bound: number;
  readonly running: number;
}

function allPlaces(): Promise<Place[]> {
  return site.sql<Place>(
    `SELECT i.mac::text, i.id, s.is || ' ' || s.vrf AS segment, i.state, i.machine, i.label,
       count(*) FILTER (WHERE l.state = 'bound')::int AS bound,
       count(*) FILTER (WHERE l.state = 'bound' AND l.expires_at > now())::int AS running
     FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment LEFT JOIN ipam.lease l ON l.interface = i.id
     GROUP BY i.id, s.id ORDER BY i.mac, i.id`,
  );
}

/** After every commit, whatever went on beside it. */
async function mustHold(): Promise<void> {
  const all = await allPlaces();
  for (const place of all.filter(({ state }) => state !== null))
    assert.equal(place.bound, 0, `nobody lives at ${JSON.stringify(place)}`);
  for (const place of all.filter(({ state }) => state === "away"))
    assert.deepEqual([place.machine, place.label], [null, null], "what is left has neither machine nor name");
  const wrong = all.filter(({ mac: one, label }) => label !== null && label !== labelOf(one));
  assert.deepEqual(wrong, [], "nobody stands in the way of its own name");
  assert.deepEqual(await site.sql("SELECT key FROM ipam.change_pending WHERE kind = 'collision'"), []);
}

/** Once the keeper has been by: who has one place where a promise runs has its name there. */
async function mustBeAtHome(): Promise<void> {
  const byDevice = Map.groupBy(await allPlaces(), ({ mac: one }) => one);
  for (const [device, own] of byDevice) {
    const homes = own.filter(({ state, running }) => state === null && running > 0);
    const others = own.filter(({ state, running }) => state !== "away" && running === 0);
    const [home] = homes;
    if (homes.length !== 1 || others.some(({ segment }) => segment !== home!.segment)) continue;
    assert.deepEqual(others, [], "no home without a promise beside one that has it");
    assert.equal(home!.label ?? undefined, labelOf(device), `${device} is called by its name`);
  }
}

function labelOf(device: string): string | undefined {
  const n = /^02:00:00:00:0c:0(\d)$/.exec(device)?.[1];
  return n ? `d${n}` : device === "02:00:00:00:01:02" ? "r1-bmc" : undefined;
}
