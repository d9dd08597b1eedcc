/** Interfaces that nobody counts on go, and devices with two homes are settled in one. */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import type { PoolClient } from "pg";
import { collect } from "../../src/history/collect.ts";
import { type Done, startHistory } from "../../src/history/keeper.ts";
import { settle } from "../../src/history/settle.ts";
import { nextSlice } from "../../src/history/walk.ts";
import { BMC, bind, ground, HOST, ip, mac, said, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const pool = parts.adopt(testPool(site.url, 2), (pool) => pool.end());
const { store, sql } = site;
const [open, held, six] = [site.segments["open"]!, site.segments["held"]!, site.segments["six"]!];
const ALL = { after: 0, to: 1_000_000 };

/** As the keeper does it: alone, in a transaction. */
async function once<T>(act: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    const result = await act(client);
    await client.query("COMMIT");
    return result;
  } finally {
    client.release();
  }
}
const collected = (days = 30): Promise<number> => once((client) => collect(client, ALL, days));
const macs = async (): Promise<string[]> =>
  (await sql<{ mac: string }>("SELECT mac::text FROM ipam.interface ORDER BY mac, id")).map(({ mac: one }) => one);
const age = (days: number): Promise<unknown> =>
  sql(
    `UPDATE ipam.lease SET starts_at = starts_at - make_interval(days => $1), expires_at = expires_at - make_interval(days => $1),
    reusable_at = reusable_at - make_interval(days => $1)`,
    [days],
  );

test("a stranger that was not seen for long goes, with its lease, and says so in the feed; nobody else does", async () => {
  await store.expect(
    [{ mac: mac("02:00:00:00:0d:01"), machine: "p", role: "host", label: "p", segment: "open" }],
    "t", // predicted, never seen
  );
  await store.putReservation({ segment: "open", address: ip("10.0.0.60"), identity: "mac 02:ff:00:00:00:05" }, "t");
  await store.commit(
    [
      bind(open, stranger(1), "10.0.0.21"),
      bind(open, stranger(2), "10.0.0.22"),
      bind(open, HOST, "10.0.0.23"),
      bind(held, stranger(3), "10.0.2.24"), // kept by policy
      bind(open, stranger(5), "10.0.0.25"), // something is reserved for it
    ],
    "t",
  );
  await age(20);
  await store.commit([bind(open, stranger(2), "10.0.0.22")], "t");
  assert.equal(await collected(), 0, "not long enough");
  await age(11);
  assert.equal(await collected(), 1);
  const left = await macs();
  assert.deepEqual(left, [
    "02:00:00:00:01:01",
    "02:00:00:00:01:02",
    "02:00:00:00:0d:01",
    "02:ff:00:00:00:02",
    "02:ff:00:00:00:03",
    "02:ff:00:00:00:05",
  ]);
  const gone = await sql(
    `SELECT kind, count(*)::int AS n, bool_and("row" IS NULL) AS gone FROM ipam.change_pending WHERE actor = 'daemon/api collect'
     GROUP BY 1 ORDER BY 1`,
  );
  assert.deepEqual(gone, [
    { kind: "interface", n: 1, gone: true },
    { kind: "lease", n: 1, gone: true },
  ]);
  assert.deepEqual(await sql("SELECT FROM ipam.lease WHERE address = '10.0.0.21'"), []);
  const [again] = await store.commit([bind(open, stranger(1), "10.0.0.21")], "t");
  assert.equal(said(again), "bound 10.0.0.21");
});

test("a rest is waited for, however short the stranger's time is", async () => {
  await collected(1);
  await store.commit([bind(open, stranger(6), "10.0.0.26")], "t");
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '9 days', reusable_at = now() + interval '1 h' WHERE address = '10.0.0.26'",
  );
  assert.equal(await collected(1), 0);
  await sql("UPDATE ipam.lease SET reusable_at = now() WHERE address = '10.0.0.26'");
  assert.equal(await collected(1), 1);
});

test("a home that was left goes like a stranger's, once its address has rested; the device stays", async () => {
  await store.commit([bind(open, HOST, "10.0.0.23")], "t");
  await store.commit([bind(six, HOST, "10.0.4.23")], "t");
  assert.equal(await collected(1), 0);
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '9 days', reusable_at = now() WHERE address = '10.0.0.23'",
  );
  assert.equal(await collected(1), 1);
  assert.equal((await macs()).filter((one) => one === "02:00:00:00:01:01").length, 1);
  assert.equal((await sql("SELECT FROM ipam.rehoming")).length, 1, "it is still somewhere");
});

test("who is nowhere any more has no moves on record", async () => {
  await store.commit([bind(open, stranger(7), "10.0.0.27")], "t");
  await store.commit([bind(six, stranger(7), "10.0.4.27")], "t");
  assert.equal((await sql("SELECT FROM ipam.rehoming")).length, 2);
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '9 days', reusable_at = now() WHERE mac = '02:ff:00:00:00:07'",
  );
  assert.equal(await collected(1), 2);
  assert.equal((await sql("SELECT FROM ipam.rehoming")).length, 1);
});

test("while a lease hangs, nothing is collected and no lease is held up", async () => {
  await store.commit([bind(open, stranger(8), "10.0.0.28")], "t");
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '9 days', reusable_at = now() WHERE address = '10.0.0.28'",
  );
  {
    await using _hanging = await site.blocker(`SELECT pg_advisory_xact_lock_shared(1179403605, ${open & 255})`);
    assert.equal(await collected(1), 0);
  }
  assert.equal(await collected(1), 1);
});

test("what a segment keeps is left once its promise is over, and the name goes along", async () => {
  const device = mac("02:00:00:00:0d:02");
  await store.expect([{ mac: device, machine: "q", role: "host", label: "q" }], "t");
  await store.updateSegment("open", { rehome: "keep" }, "t");
  await store.commit([bind(open, device, "10.0.0.30")], "t");
  await store.commit([bind(six, device, "10.0.4.30")], "t");
  const places = (): Promise<unknown[]> =>
    sql("SELECT segment, state, label, machine FROM ipam.interface WHERE mac = '02:00:00:00:0d:02' ORDER BY id");
  assert.equal(await once((client) => settle(client, ALL)), 0);
  assert.deepEqual(await places(), [
    { segment: open, state: null, label: "q", machine: "q" },
    { segment: six, state: null, label: null, machine: "q" },
  ]);
  await sql("UPDATE ipam.lease SET expires_at = now() WHERE address = '10.0.0.30'");
  assert.equal(await once((client) => settle(client, ALL)), 1);
  assert.deepEqual(await places(), [
    { segment: open, state: "away", label: null, machine: null },
    { segment: six, state: null, label: "q", machine: "q" },
  ]);
  assert.equal(await once((client) => settle(client, ALL)), 0);
  const [told] = await sql(
    `SELECT actor, "row" ->> 'is' AS is, "row" ->> 'from' AS "from", "row" ->> 'was' AS was FROM ipam.change_pending
     WHERE kind = 'arrival' ORDER BY version DESC LIMIT 1`,
  );
  assert.deepEqual(told, { actor: "daemon/api", is: "moved", from: "open", was: "10.0.0.30" });
});

test("the walk comes by everybody and begins again", async () => {
  const { slice, next } = await once((client) => nextSlice(client, 0));
  assert.deepEqual([slice.after, next], [0, 0]);
  const [{ most } = { most: 0 }] = await sql<{ most: number }>("SELECT max(id) AS most FROM ipam.interface");
  assert.equal(slice.to, most);
  assert.deepEqual((await once((client) => nextSlice(client, most))).slice, { after: most, to: most });
});

test("the keeper does all that by itself, and counts it", async () => {
  site.sequencer({ pollMs: 10 });
  await store.commit([bind(open, stranger(9), "10.0.0.29"), bind(open, BMC, "10.0.0.31")], "t");
  await sql(
    "UPDATE ipam.lease SET expires_at = now() - interval '9 days', reusable_at = now() WHERE address = '10.0.0.29'",
  );
  const done = new Map<Done, number>();
  const onDone = (what: Done, count: number): unknown => done.set(what, (done.get(what) ?? 0) + count);
  await using _keeper = startHistory({ url: site.url, name: "test", pollMs: 10, strangerDays: 1, onDone });
  while (!done.has("collected") || !done.has("promoted")) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(done.get("collected"), 1);
  assert.equal(done.get("promoted"), 1, "the BMC came elsewhere than its declared address said");
  assert.equal(done.get("moved"), 3);
});
