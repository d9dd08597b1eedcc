import assert from "node:assert/strict";
import test, { after } from "node:test";
import { iface, lease, prefix, readPrefix, segment } from "@firstlight/kit";
import { formatAddress, parsePrefix, assertParsed } from "@firstlight/wire";
import { candidate } from "../../src/allocation/allocate.ts";
import { startHistory } from "../../src/history/keeper.ts";
import { Tables } from "../../src/replica/memory/tables.ts";
import type { Segment } from "../../src/model/model.ts";
import { MOST_RECLAIMED, pressure } from "../../src/usage/reclaim.ts";
import { bind, ground, HOST, ip, said, stranger } from "../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const held = site.segments["held"]!;
const at = (n: number): string => `10.0.2.${n}`;

test("a new device gets a place that nobody had while there is one, else the one idle for longest", () => {
  const tables = new Tables();
  const [wide, narrow]: [Segment, Segment] = [segment(), segment({ id: 2, name: "narrow" })];
  const rows = [
    wide,
    narrow,
    prefix({ prefix: readPrefix("127.64.0.0/24"), reserved: 1 }),
    prefix({ id: 2, segment: 2, prefix: readPrefix("127.65.0.0/29"), reserved: 1 }),
  ];
  for (const row of rows) tables.put(row);
  const now = 1e12;
  const offered = (place: Segment, mac: number): string => {
    const offer = candidate(tables, { segment: place, identity: mac, now });
    return offer.is === "candidate" ? formatAddress(offer.address) : offer.because;
  };
  const leave = (n: number, place: Segment, address: string): void => {
    const [version, over] = [n + 10, now - 1e6 * n];
    tables.put(iface({ id: version, segment: place.id, identity: stranger(n), version }));
    const held = { segment: place.id, interface: version, mac: stranger(n), version };
    tables.put(lease({ ...held, address, expiresAt: over, reusableAt: over }));
  };
  const given = new Set<string>();
  for (let n = 1; n <= 100; n++) {
    const address = offered(wide, stranger(n));
    leave(n, wide, address);
    given.add(address);
  }
  assert.equal(given.size, 100, "all of them could be had again, and nobody was given one");
  for (const n of [1, 2, 3, 4, 5, 6]) leave(200 + n, narrow, `127.65.0.${n}`);
  assert.equal(offered(narrow, stranger(300)), "127.65.0.6");
});

test("nothing is reclaimed below the threshold, and no more than leads back to it", () => {
  const use = { assignable: 100, kept: 30, resting: 10, idle: 0 };
  assert.equal(pressure({ ...use, bound: 50 }, 90), 0);
  assert.equal(pressure({ ...use, bound: 55 }, 90), 5);
  assert.equal(pressure({ ...use, assignable: 1e6, bound: 1e6 }, 50), MOST_RECLAIMED);
});

test("under pressure the longest idle go first; a machine's, a declared, a running and a resting one never", async () => {
  const devices = Array.from({ length: 10 }, (_, n) => bind(held, stranger(n), at(20 + n)));
  await site.store.commit([...devices, bind(held, HOST, at(10))], "t");
  // .20 to .25 are idle, .20 for the longest; .26 rests, .27 to .29 run; .10 is a machine's and idle for longer than all.
  await site.sql(`UPDATE ipam.lease SET expires_at = now() - make_interval(hours => 100 - (host(address)::inet - '10.0.2.0')::int),
    reusable_at = now() - interval '1 h' WHERE address <= '10.0.2.25'`);
  await site.sql("UPDATE ipam.lease SET expires_at = now() - interval '1 h' WHERE address = '10.0.2.26'");
  await site.sql("UPDATE ipam.expected_device SET address = '10.0.2.21' WHERE mac = '02:00:00:00:01:02'");
  await site.sql("UPDATE ipam.prefix SET reserved = 244 WHERE prefix = '10.0.2.0/24'"); // 11 left, all of them used

  await using _keeper = startHistory({ url: site.url, name: "test", pollMs: 10, sampleSeconds: 0, reclaimPercent: 70 });
  const reclaimed = (): Promise<{ address: string }[]> =>
    site.sql(
      "SELECT host(address) AS address FROM ipam.lease WHERE state = 'released' AND policy = 'dynamic' ORDER BY 1",
    );
  while ((await reclaimed()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(
    (await reclaimed()).map(({ address }) => address),
    [at(20), at(22), at(23), at(24)], // 11 used of 11, at most 7; .21 is declared
  );
  const [change] = await site.sql<{ n: number; actor: string; dns: boolean }>(
    "SELECT count(*)::int AS n, min(actor) AS actor, bool_and(dns) AS dns FROM ipam.change_pending WHERE actor LIKE '%reclaim'",
  );
  assert.deepEqual(change, { n: 4, actor: "daemon/api reclaim", dns: true });

  await site.sql("UPDATE ipam.prefix SET reserved = 1 WHERE prefix = '10.0.2.0/24'");
  const [other] = await site.store.commit([bind(held, stranger(50), at(20))], "t");
  const [own] = await site.store.commit([bind(held, stranger(2), at(22))], "t");
  const [kept] = await site.store.commit([bind(held, stranger(51), at(25))], "t");
  assert.deepEqual([other, own, kept].map(said), ["bound 10.0.2.20", "bound 10.0.2.22", "address-bound-elsewhere"]);
});

test("a pool that is nearly full gives up what it merely keeps, though its prefix has plenty", async () => {
  await using own = await ground();
  const pool = { first: ip("10.0.2.64"), last: ip("10.0.2.67"), roles: ["other"] as const };
  const prefix = assertParsed(parsePrefix("10.0.2.0/24"), "prefix");
  await own.store.updateSegment("held", { prefixes: [{ prefix, reserved: 1, excluded: [], pools: [pool] }] }, "t");
  const devices = [4, 5, 6, 7].map((n) => bind(own.segments["held"]!, stranger(n), `10.0.2.6${n}`));
  await own.store.commit(devices, "t");
  await own.sql("UPDATE ipam.lease SET expires_at = now() - interval '1 d', reusable_at = now() - interval '1 h'");
  await using _keeper = startHistory({ url: own.url, name: "test", pollMs: 10, sampleSeconds: 0, reclaimPercent: 75 });
  const reclaimed = (): Promise<unknown[]> => own.sql("SELECT 1 FROM ipam.lease WHERE policy = 'dynamic'");
  while ((await reclaimed()).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await reclaimed()).length, 1, "four of four, at most three");
});
