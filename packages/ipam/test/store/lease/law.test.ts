/** Whatever three stores are asked, in whatever order: what the tables may never show, and the feed as their history. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatAddress } from "@firstlight/wire";
import * as fc from "fast-check";
import { systemClock } from "@firstlight/service";
import { createReplica } from "../../../src/feed/follower.ts";
import { keyOf } from "../../../src/model/key.ts";
import { fullKey } from "@firstlight/changefeed";
import type { LeaseRequest } from "../../../src/model/lease.ts";
import type { Row } from "../../../src/model/model.ts";
import type { Replica } from "../../../src/replica/replica.ts";
import { PgSource } from "../../../src/feed/postgres.ts";
import { back, bind, ground, stranger } from "../../ground.ts";
import { inTable, mustRest, newHolders, pass } from "../../history/tenure.ts";

const site = await ground();
const parts = new AsyncDisposableStack();
parts.use(site);
after(() => parts.disposeAsync());
const source = parts.use(new PgSource({ url: site.url, name: "law" }));
const stores = [site.store, site.anotherStore(), site.anotherStore()];

const [open, six, held] = [site.segments["open"]!, site.segments["six"]!, site.segments["held"]!];
const sequencer = site.sequencer();

/** Few devices and few addresses, so that they meet; .0 to .2, .9 and .255 are network, gateway, reserved, excluded, broadcast. */
const PLACES = [
  { segment: open, network: "10.0.0." },
  { segment: six, network: "10.0.4." },
  { segment: six, network: "fd00::" },
  { segment: held, network: "10.0.2." },
];
const NEVER = new Set(["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.4.0", "10.0.2.0", "fd00::"]);
const request = fc
  .record({
    mac: fc.nat(4),
    host: fc.oneof(fc.nat(11), fc.constant(255)),
    place: fc.constantFrom(...PLACES, PLACES[0]!, PLACES[0]!),
    act: fc.constantFrom("bind", "bind", "bind", "release", "decline"),
    leaseSeconds: fc.constantFrom(600, 600, 7200),
  })
  .map(({ mac, host, place, act, leaseSeconds }): LeaseRequest => {
    const [who, address] = [
      stranger(mac),
      `${place.network}${host === 255 && place.network.endsWith(":") ? "0" : host}`,
    ];
    return act === "bind"
      ? bind(place.segment, who, address, { leaseSeconds })
      : back(act, place.segment, who, address);
  });
const batch = fc.uniqueArray(request, { maxLength: 4, selector: ({ segment, identity: mac }) => `${segment} ${mac}` });
/** Three writers at once; then some time passes. */
const round = fc.record({
  batches: fc.tuple(batch, batch, batch),
  hours: fc.constantFrom(0, 0, 0.1, 3, 23.9, 24.2, 60),
});

test("no address twice, no device twice, never gateway or reserved, never before its rest is over; feed, tables and replica say the same", async () => {
  await using following = await createReplica(source, systemClock, { pollMs: 50 });
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
      for (const { batches, hours } of rounds) {
        const before = await inTable(site);
        const outcomes = await Promise.all(batches.map((batch, n) => stores[n]!.commit(batch, "law")));
        outcomes.forEach((list, n) => mustAnswer(batches[n]!, list));
        mustRest(before, await inTable(site));
        await mustHold();
        if (hours > 0) await pass(site, hours);
      }
      await site.drained();
      await agreed(following.replica);
    }),
    { numRuns: 40 },
  );
  assert.ok(sequencer.sequenced > 0);
  assert.deepEqual(await replayed(), await inTables());
});

/** Somebody who has lost the database promises what dhcpd would: to the holder it knows of, and no longer than the rest it knows of. */
interface Promised {
  readonly address: string;
  readonly mac: string;
  /** In hours of the test's own time. */
  readonly until: number;
}

/** Two devices, two addresses. */
const close = fc
  .record({ mac: fc.nat(1), host: fc.integer({ min: 20, max: 21 }), act: fc.constantFrom("bind", "bind", "release") })
  .map(({ mac, host, act }): LeaseRequest => {
    const [who, address] = [stranger(100 + mac), `10.0.0.${host}`];
    return act === "bind" ? bind(open, who, address, { leaseSeconds: 7200 }) : back("release", open, who, address);
  });
/** The database is lost to one writer between `before` and `during`, and for so long; the other one goes on. */
const outage = fc.record({
  before: fc.array(close, { maxLength: 3 }),
  during: fc.array(close, { maxLength: 3 }),
  hours: fc.constantFrom(0.1, 1, 23.9, 24.2, 25),
  after: fc.array(close, { maxLength: 4 }),
});

test("what a writer promised while it had lost the database is nobody else's before that promise ends", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(outage, { minLength: 1, maxLength: 5 }), async (outages) => {
      let hour = 0;
      let promises: Promised[] = [];
      const commit = async (requests: readonly LeaseRequest[]): Promise<void> => {
        for (const request of requests) {
          const before = await inTable(site);
          await stores[0]!.commit([request], "law");
          for (const { address, mac } of newHolders(before, await inTable(site))) {
            const broken = promises.find(
              (one) => one.address === address && one.mac !== mac && one.until > hour + 0.01,
            );
            assert.equal(broken, undefined, `${address} is ${mac}'s at ${hour} h`);
          }
        }
      };
      for (const { before, during, hours, after } of outages) {
        await commit(before);
        const [known, knownAt] = [await inTable(site), hour];
        await commit(during);
        await pass(site, hours);
        hour += hours;
        const promised = known
          .filter(({ address, state }) => state === "bound" && /^10\.0\.0\.2[01]$/.test(address))
          .map(({ address, mac, restsHours }) => ({
            address,
            mac,
            until: Math.min(hour + 2, knownAt + restsHours - MARGIN_HOURS),
          }));
        promises = [...promises, ...promised];
        await commit(after);
      }
    }),
    { numRuns: 60 },
  );
});

const MARGIN_HOURS = 1 / 60;

/** The replica follows; once it is where the feed is, it must hold what the tables hold, to the last field. */
async function agreed(replica: Replica): Promise<void> {
  const loaded = await source.load();
  const tables: Row[] = [];
  for await (const rows of loaded.rows) tables.push(...rows);
  const until = Date.now() + 20_000;
  while (replica.at.position < loaded.at.position && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const leases = tables.filter((row) => row.kind === "lease").map((row) => [keyOf(row), row] as const);
  assert.deepEqual(new Map([...replica.leases()].map((row) => [keyOf(row), row])), new Map(leases));
  for (const row of tables) if (row.kind === "interface") assert.deepEqual(replica.interfaceById(row.id), row);
}

/** Who was promised an address was promised the one it asked for. */
function mustAnswer(batch: readonly LeaseRequest[], outcomes: Awaited<ReturnType<typeof site.store.commit>>): void {
  outcomes.forEach((outcome, n) => {
    if (outcome.is === "refused") return;
    const { identity: mac, address } = outcome.lease;
    assert.deepEqual([mac, formatAddress(address)], [batch[n]!.identity, formatAddress(batch[n]!.address)]);
  });
}

async function mustHold(): Promise<void> {
  const leases = await site.sql<{ address: string; state: string; mac: string; own: string; holder: string }>(
    `SELECT host(l.address) AS address, l.state, l.mac::text, i.mac::text AS own,
       l.interface || ' ' || family(l.address) AS holder
     FROM ipam.lease l JOIN ipam.interface i ON i.id = l.interface`,
  );
  const bound = leases.filter(({ state }) => state === "bound");
  assert.equal(new Set(leases.map(({ address }) => address)).size, leases.length);
  assert.equal(new Set(bound.map(({ holder }) => holder)).size, bound.length);
  assert.deepEqual(
    leases.filter(({ address, mac, own }) => NEVER.has(address) || address.endsWith(".255") || mac !== own),
    [],
  );
}

type Version = readonly [key: string, version: number];

/** Rows by the feed alone, from its first position: newest version each, without those that are gone. */
async function replayed(): Promise<Version[]> {
  const { at } = await source.load();
  const rows = new Map<string, number>();
  for (let position = 0; position < at.position;) {
    const pulled = await source.changes({ epoch: at.epoch, position }, 100);
    assert.ok(pulled.is === "changes");
    for (const change of pulled.changes) {
      assert.equal(change.position, ++position, "no gap");
      if (change.is !== "row") continue;
      const key = fullKey(change.kind, change.key);
      if (change.row) rows.set(key, change.version);
      else rows.delete(key);
    }
  }
  return sorted([...rows]);
}

async function inTables(): Promise<Version[]> {
  const rows: Version[] = [];
  for await (const batch of (await source.load()).rows) {
    for (const row of batch) rows.push([fullKey(row.kind, keyOf(row)), row.version]);
  }
  return sorted(rows);
}

function sorted(rows: readonly Version[]): Version[] {
  return rows.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
