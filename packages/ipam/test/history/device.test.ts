import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { startHistory } from "../../src/history/keeper.ts";
import { createHistory } from "../../src/history/read.ts";
import { bind, ground, HOST, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const pool = parts.adopt(testPool(site.url, 2), (pool) => pool.end());
const history = createHistory(pool);
const [open, held] = [site.segments["open"]!, site.segments["held"]!];

async function kept(): Promise<void> {
  await site.drained();
  for (;;) {
    const [row] = await site.sql<{ level: boolean }>(
      "SELECT c.position = (SELECT max(position) FROM ipam.feed) AS level FROM ipam.chronicle c",
    );
    if (row?.level === true) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("what a device had is told by MAC, across segments, the newest first, with where it moved", async () => {
  assert.deepEqual(await history.whatHad(HOST, 10), {
    tenancies: [],
    arrivals: [],
    because: "no history is kept yet",
  });
  site.sequencer({ pollMs: 10 });
  await using _keeper = startHistory({ url: site.url, name: "test", pollMs: 10 });
  await site.store.commit([bind(open, HOST, "10.0.0.20")], "daemon/dhcpd");
  await kept();
  await site.store.commit([bind(open, HOST, "10.0.0.21")], "daemon/dhcpd");
  await site.store.commit([bind(held, HOST, "10.0.2.20"), bind(open, stranger(1), "10.0.0.22")], "daemon/dhcpd");
  await kept();
  const { tenancies, arrivals, next } = await history.whatHad(HOST, 10);
  assert.deepEqual(
    tenancies.map(({ address, segment, is, machine }) => [address, segment, is, machine]),
    [
      ["10.0.2.20", "held", "bound", "r1"],
      ["10.0.0.21", "open", "released", "r1"],
      ["10.0.0.20", "open", "released", "r1"],
    ],
  );
  assert.equal(next, undefined);
  assert.deepEqual(
    arrivals.map(({ at: _at, ...arrival }) => arrival),
    [{ is: "moved", segment: "held", address: "10.0.2.20", from: "open", was: "10.0.0.21" }],
  );
  assert.ok(Math.abs(arrivals[0]!.at - Date.now()) < 60_000);
  const { because } = await history.whatHad(stranger(7), 10);
  assert.match(because!, /^it had no address since 20.*Z$/);
});

test("a move is one entry of the audit, by who saw it", async () => {
  const [entry] = await history.audit({ kind: "arrival", limit: 10 });
  assert.deepEqual([entry?.actor, entry?.key, entry?.did], ["daemon/dhcpd", "02:00:00:00:01:01", "created"]);
});

test("pages neither skip nor repeat", async () => {
  const [first, all] = [await history.whatHad(HOST, 1), await history.whatHad(HOST, 10)];
  const second = await history.whatHad(HOST, 1, first.next);
  const third = await history.whatHad(HOST, 1, second.next);
  assert.deepEqual(
    [first, second, third].flatMap(({ tenancies }) => tenancies),
    all.tenancies,
  );
  assert.equal(third.next, undefined);
});

test("a device is read by index, however many others there are", async () => {
  const { rows } = await pool
    .query<{ "QUERY PLAN": string }>(
      "SET enable_seqscan = off; EXPLAIN SELECT * FROM ipam.tenancy WHERE mac = '02:00:00:00:01:01'",
    )
    .then((all) => (all as unknown as { rows: { "QUERY PLAN": string }[] }[])[1]!);
  assert.match(rows.map((row) => row["QUERY PLAN"]).join("\n"), /tenancy_mac/);
});
