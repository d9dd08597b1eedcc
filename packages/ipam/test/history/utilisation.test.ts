import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { isMalformed, parsePrefix, assertParsed } from "@firstlight/wire";
import { startHistory } from "../../src/history/keeper.ts";
import { createHistory } from "../../src/history/read.ts";
import type { PrefixRow } from "../../src/model/model.ts";
import { assignableIn, forecast, type Use } from "../../src/usage/utilisation.ts";
import { back, bind, BMC, ground, HOST, ip, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

function row(prefix: string, reserved: number, asides: string[] = [], gateway?: string): PrefixRow {
  const parsed = parsePrefix(prefix);
  assert.ok(!isMalformed(parsed));
  const known = { kind: "prefix", id: 1, version: 1, segment: 1, vrf: "default", reserved } as const;
  return { ...known, prefix: parsed, excluded: asides.map(ip), ...(gateway !== undefined && { gateway: ip(gateway) }) };
}

test("what a prefix can give: without its ends, head, gateway and exclusions, each once", () => {
  assert.equal(assignableIn(row("10.0.0.0/24", 1)), 254n);
  assert.equal(assignableIn(row("10.0.0.0/24", 3, ["10.0.0.9"], "10.0.0.1")), 251n, "the gateway is in the head");
  assert.equal(assignableIn(row("10.0.0.0/24", 1, ["10.0.0.9", "10.0.0.9", "10.0.9.9"], "10.0.0.9")), 253n);
  const ranges = [
    { first: ip("10.0.0.5"), last: ip("10.0.0.14") },
    { first: ip("10.0.0.10"), last: ip("10.0.0.19") },
  ];
  const ranged = { ...row("10.0.0.0/24", 1, ["10.0.0.9", "10.0.0.30"]), reservedRanges: ranges };
  assert.equal(assignableIn(ranged), 254n - 15n - 1n);
  assert.equal(assignableIn(ranged, { first: ip("10.0.0.8"), last: ip("10.0.0.30") }), 10n);
  assert.equal(assignableIn(ranged, { first: ip("10.0.0.250"), last: ip("10.0.0.255") }), 5n);
  assert.equal(assignableIn(row("10.0.0.0/31", 0)), 2n);
  assert.equal(assignableIn(row("10.0.0.0/30", 4)), 0n);
  assert.equal(assignableIn(row("fd00::/64", 1, [], "fd00::1")), 2n ** 64n - 2n);
  assert.equal(assignableIn(row("fd00::/127", 0)), 2n);
});

const USE: Use = { assignable: 100, bound: 50, kept: 20, resting: 10, idle: 5 };

test("the days to exhaustion are what is free over what a day takes; where it cannot be said, it says why", () => {
  assert.deepEqual(forecast(USE, { perDay: 4, samples: 100, hours: 24 }), { perDay: 4, daysToExhaustion: 5 });
  assert.deepEqual(forecast(USE, { perDay: -1, samples: 100, hours: 24 }), { perDay: -1, because: "it does not grow" });
  assert.equal(forecast(USE, { perDay: 4, samples: 3, hours: 24 }).because, "too few samples yet: 3 in 24.0 h");
  assert.equal(forecast({ ...USE, bound: 70 }, { perDay: null, samples: 1, hours: 0 }).daysToExhaustion, 0);
});

test("every prefix is counted by what its addresses are, and its trend is the line through its samples", async () => {
  const site = parts.use(await ground());
  const pool = parts.adopt(testPool(site.url, 1), (pool) => pool.end());
  const history = createHistory(pool);
  assert.deepEqual(await history.utilisation(7), []);
  const [open, held, six] = [site.segments["open"]!, site.segments["held"]!, site.segments["six"]!];
  await site.store.commit(
    [
      bind(open, stranger(1), "10.0.0.20"),
      bind(open, stranger(2), "10.0.0.21"),
      bind(open, stranger(3), "10.0.0.22"),
      bind(open, HOST, "10.0.0.23"),
      bind(held, stranger(4), "10.0.2.20"),
      bind(six, stranger(5), "fd00::20"),
    ],
    "t",
  );
  await site.store.commit([back("release", open, stranger(2), "10.0.0.21")], "t");
  await site.sql(
    "UPDATE ipam.lease SET expires_at = now(), reusable_at = now() WHERE address IN ('10.0.0.22', '10.0.0.23', '10.0.2.20')",
  );

  parts.use(startHistory({ url: site.url, name: "test", pollMs: 10, sampleSeconds: 0 }));
  while ((await history.utilisation(7)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const of = async (prefix: string) => (await history.utilisation(7)).find((one) => one.prefix === prefix)!;
  const { at: _at, because: _because, ...counted } = await of("10.0.0.0/24");
  assert.deepEqual(counted, {
    segment: "open",
    vrf: "default",
    prefix: "10.0.0.0/24",
    assignable: 251,
    bound: 1,
    kept: 1, // HOST belongs to a machine
    resting: 1,
    idle: 1,
  });
  assert.equal((await of("10.0.2.0/24")).kept, 1, "retained");
  assert.deepEqual([(await of("fd00::/64")).bound, (await of("fd00::/64")).assignable], [1, 2 ** 64]);
  assert.equal((await of("10.0.4.0/24")).bound, 0, "every prefix of a segment is counted");

  await site.sql(`INSERT INTO ipam.utilisation (prefix, at, assignable, bound, kept, resting, idle)
    SELECT id, now() + make_interval(hours => n), 251, 3 + n, 0, 0, 0 FROM ipam.prefix, generate_series(1, 48) n WHERE prefix = '10.0.0.0/24'`);
  const grown = await of("10.0.0.0/24");
  assert.equal(Math.round(grown.perDay!), 24);
  assert.equal(Math.round(grown.daysToExhaustion!), Math.round((251 - 51) / 24));
});

test("each pool is counted for itself, and a drain shows what is left of it", async () => {
  const site = parts.use(await ground());
  const pool = parts.adopt(testPool(site.url, 1), (pool) => pool.end());
  const history = createHistory(pool);
  const held = site.segments["held"]!;
  const prefix = assertParsed(parsePrefix("10.0.2.0/24"), "prefix");
  const ofRole = { first: ip("10.0.2.64"), last: ip("10.0.2.67"), roles: ["host_bmc"] as const };
  const edit = { prefix, reserved: 1, excluded: [ip("10.0.2.65")], pools: [ofRole] };
  await site.store.updateSegment("held", { prefixes: [edit] }, "t");
  await site.store.commit(
    [bind(held, BMC, "10.0.2.64"), bind(held, HOST, "10.0.2.20"), bind(held, stranger(1), "10.0.2.21")],
    "t",
  );
  await site.sql("UPDATE ipam.lease SET expires_at = now(), reusable_at = now() WHERE address = '10.0.2.20'");
  await site.store.putReservation({ segment: "held", address: ip("10.0.2.9"), identity: "mac 02:ff:00:00:00:09" }, "t");
  parts.use(startHistory({ url: site.url, name: "test", pollMs: 10, sampleSeconds: 0 }));
  const of = async () => (await history.utilisation(7)).find((one) => one.prefix === "10.0.2.0/24");
  while ((await of())?.bound !== 2) await new Promise((resolve) => setTimeout(resolve, 10));
  const use = (await of())!;
  assert.deepEqual([use.assignable, use.kept, use.remainder], [253, 1, undefined]);
  const counts = { assignable: 3, bound: 1, kept: 0, resting: 0, idle: 0 };
  assert.deepEqual(use.pools, [{ from: "10.0.2.64", to: "10.0.2.67", roles: ["host_bmc"], ...counts }]);
  await site.store.drain("held", prefix, "draining", "t");
  assert.equal((await of())?.remainder, 3, "two promises that run and a reservation");
});

test("samples are thinned to one an hour after two days, and forgotten in time", async () => {
  const site = parts.use(await ground());
  await site.sql(`INSERT INTO ipam.utilisation (prefix, at, assignable, bound, kept, resting, idle)
    SELECT 1, date_trunc('hour', now()) - make_interval(hours => h, mins => 5 * m), 1, h, 0, 0, 0
    FROM unnest(ARRAY[1, 50, 60, 24 * 50, 24 * 95]) h, generate_series(0, 11) m`);
  const { sql } = site;
  await using _keeper = startHistory({ url: site.url, name: "test", pollMs: 10, sampleSeconds: 0 });
  const counts = (): Promise<{ hours: number; n: number }[]> =>
    sql("SELECT bound::int AS hours, count(*)::int AS n FROM ipam.utilisation WHERE bound > 0 GROUP BY 1 ORDER BY 1");
  while ((await counts()).length > 4) await new Promise((resolve) => setTimeout(resolve, 10));
  while ((await counts())[1]!.n > 2) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(await counts(), [
    { hours: 1, n: 12 },
    { hours: 50, n: 2 }, // five to the hour is another hour
    { hours: 60, n: 2 },
    { hours: 24 * 50, n: 12 }, // was thinned in its time
  ]);
});
