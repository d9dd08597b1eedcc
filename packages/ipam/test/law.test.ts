/** Whatever two stores are asked, in whatever order: what the tables may never show, and the feed as their history. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatAddress } from "@firstlight/wire";
import * as fc from "fast-check";
import { fullKey, keyOf } from "../src/key.ts";
import type { LeaseRequest } from "../src/lease.ts";
import { PgSource } from "../src/source/postgres.ts";
import { back, bind, ground, stranger } from "./ground.ts";

const site = await ground();
const parts = new AsyncDisposableStack();
parts.use(site);
after(() => parts.disposeAsync());
const source = parts.use(new PgSource({ url: site.url, name: "law" }));
const stores = [site.store, site.anotherStore()];
const open = site.segments["open"]!;
site.sequencer();

/** Few devices and few addresses, so that they meet; .0 to .3 and .9 are network, gateway, reserved and excluded. */
const request = fc
  .record({ mac: fc.nat(4), host: fc.nat(11), act: fc.constantFrom("bind", "bind", "bind", "release", "decline") })
  .map(({ mac, host, act }): LeaseRequest => {
    const [who, address] = [stranger(mac), `10.0.0.${host}`];
    return act === "bind" ? bind(open, who, address) : back(act, open, who, address);
  });
const batch = fc.uniqueArray(request, { maxLength: 4, selector: ({ mac }) => mac });
/** Both stores at once; then, sometimes, everything has rested. */
const round = fc.record({ batches: fc.tuple(batch, batch), rests: fc.boolean() });

test("no address twice, no device twice, never gateway or reserved; the feed replayed is the tables", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 6 }), async (rounds) => {
      for (const { batches, rests } of rounds) {
        const outcomes = await Promise.all(batches.map((batch, n) => stores[n]!.commit(batch, "law")));
        outcomes.forEach((list, n) => mustAnswer(batches[n]!, list));
        await mustHold();
        if (rests) await site.sql("UPDATE ipam.lease SET expires_at = now() - interval '1 h', reusable_at = now()");
      }
    }),
    { numRuns: 40 },
  );
  await site.drained();
  assert.deepEqual(await replayed(), await inTables());
});

/** Who was promised an address was promised the one it asked for. */
function mustAnswer(batch: readonly LeaseRequest[], outcomes: Awaited<ReturnType<typeof site.store.commit>>): void {
  outcomes.forEach((outcome, n) => {
    if (outcome.is === "refused") return;
    const { mac, address } = outcome.lease;
    assert.deepEqual([mac, formatAddress(address)], [batch[n]!.mac, formatAddress(batch[n]!.address)]);
  });
}

async function mustHold(): Promise<void> {
  const leases = await site.sql<{ address: string; state: string; mac: string; own: string }>(
    "SELECT host(l.address) AS address, l.state, l.mac::text, i.mac::text AS own FROM ipam.lease l JOIN ipam.interface i ON i.id = l.interface",
  );
  const bound = leases.filter(({ state }) => state === "bound");
  assert.equal(new Set(leases.map(({ address }) => address)).size, leases.length);
  assert.equal(new Set(bound.map(({ mac }) => mac)).size, bound.length);
  const never = new Set(["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.9"]);
  assert.deepEqual(
    leases.filter(({ address, mac, own }) => never.has(address) || mac !== own),
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
