/** Clients that show no MAC, on real PostgreSQL: the same rules, tables and feed as for those that do. */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { PgSource } from "../../../src/feed/postgres.ts";
import { startHistory } from "../../../src/history/keeper.ts";
import { createHistory } from "../../../src/history/read.ts";
import type { ClientIdentity } from "../../../src/model/identity.ts";
import type { Bind } from "../../../src/model/lease.ts";
import { ground, ip, said, stranger } from "../../ground.ts";

await using parts = new AsyncDisposableStack();
const site = parts.use(await ground());
const { store, sql, segments } = site;
const owned = parts.move();
after(() => owned.disposeAsync());

const SIX = segments["six"]!;
const DUID: ClientIdentity = "duid 00030001aabbccddee01";
const PORT: ClientIdentity = "port fd00::1/65746831";

function bind(identity: ClientIdentity, address: string, more: Partial<Bind> = {}): Bind {
  return { do: "bind", segment: SIX, identity, address: ip(address), leaseSeconds: 600, ...more };
}

async function commit(...requests: Parameters<typeof store.commit>[0]): Promise<string[]> {
  return (await store.commit(requests, "daemon/dhcpd")).map(said);
}

const overlaps = (error: { readonly constraint?: string }): boolean => error.constraint === "lease_delegated_overlaps";

test("a MAC, a DUID and a port are served in one batch, each by its own interface", async () => {
  const outcomes = await store.commit(
    [bind(DUID, "fd00::10"), bind(stranger(1), "fd00::11"), bind(PORT, "fd00::12")],
    "daemon/dhcpd",
  );
  const found = outcomes.map((outcome) => (outcome.is === "bound" ? outcome : assert.fail(said(outcome))));
  assert.deepEqual(
    found.map(({ lease }) => lease.identity),
    [DUID, stranger(1), PORT],
  );
  assert.deepEqual(
    found.map((one) => one.interface.identity),
    [DUID, stranger(1), PORT],
  );
  assert.equal(new Set(found.map((one) => one.interface.id)).size, 3);
});

test("the promise to a DUID is renewed, kept from others, and given back", async () => {
  assert.deepEqual(await commit(bind(DUID, "fd00::10")), ["bound fd00::10"]);
  assert.deepEqual(await commit(bind("duid 000400", "fd00::10")), ["address-bound-elsewhere"]);
  const release = { do: "release", segment: SIX, identity: DUID, address: ip("fd00::10") } as const;
  assert.deepEqual(await commit({ ...release, identity: "duid 000400" }), ["no-such-lease"]);
  assert.deepEqual(await commit(release), ["givenBack fd00::10"]);
  assert.deepEqual(await commit(bind(DUID, "fd00::10")), ["bound fd00::10"]);
});

test("a client without associations leaves its address when it takes another one", async () => {
  assert.deepEqual(await commit(bind(DUID, "fd00::20")), ["bound fd00::20"]);
  const rows = await sql("SELECT state FROM ipam.lease WHERE address = 'fd00::10'");
  assert.deepEqual(rows, [{ state: "released" }]);
});

test("each association of a client has an address of its own", async () => {
  const client: ClientIdentity = "duid 0002ff";
  assert.deepEqual(await commit(bind(client, "fd00::30", { iaid: 1 })), ["bound fd00::30"]);
  assert.deepEqual(await commit(bind(client, "fd00::31", { iaid: 2 ** 32 - 1 })), ["bound fd00::31"]);
  assert.deepEqual(await commit(bind(client, "fd00::32", { iaid: 1 })), ["bound fd00::32"]);
  const rows = await sql(
    "SELECT host(address) AS address, iaid, state FROM ipam.lease WHERE identity = 'duid 0002ff' ORDER BY address",
  );
  assert.deepEqual(rows, [
    { address: "fd00::30", iaid: "1", state: "released" },
    { address: "fd00::31", iaid: "4294967295", state: "bound" },
    { address: "fd00::32", iaid: "1", state: "bound" },
  ]);
});

test("an address reserved for a port is bound to the client on it, and to no other", async () => {
  await store.putReservation({ segment: "six", address: ip("fd00::40"), identity: PORT }, "operator");
  assert.deepEqual(await commit(bind("duid 000401", "fd00::40")), ["address-reserved"]);
  const relay = { giaddr: ip("fd00::1"), circuitId: Buffer.from("eth1") };
  assert.deepEqual(await commit(bind("duid 000402", "fd00::40", { relay })), ["bound fd00::40"]);
});

test("a lookup by DUID finds what the database has of it", async () => {
  const found = await store.lookup(DUID);
  assert.deepEqual(
    found.interfaces.map(({ identity }) => identity),
    [DUID],
  );
  assert.ok(found.leases.some(({ state }) => state === "bound"));
  const [same, another] = await Promise.all([store.lookup(stranger(1)), store.lookup("duid 00")]);
  assert.deepEqual([same.interfaces.length, another.interfaces.length], [1, 0]);
});

test("a deleted interface of a DUID is gone from its segment", async () => {
  await commit(bind("duid 000403", "fd00::50"));
  await store.deleteInterface("six", "duid 000403", "operator");
  assert.deepEqual((await store.lookup("duid 000403")).interfaces, []);
});

test("a delegated prefix is a lease that overlaps no other, and travels through load and feed", async () => {
  const [own] = await sql<{ id: number }>("SELECT id FROM ipam.interface WHERE identity = $1", [DUID]);
  const delegate = (prefix: string, iaid: number): Promise<unknown> =>
    sql(
      `INSERT INTO ipam.lease (vrf, address, segment, interface, identity, iaid, policy, state, starts_at, expires_at, reusable_at)
       VALUES ('default', $1, $2, $3, $4, $5, 'dynamic', 'bound', now(), now() + interval '1 hour', now() + interval '2 hours')`,
      [prefix, SIX, own!.id, DUID, iaid],
    );
  await delegate("2001:db8:1::/56", 7);
  await assert.rejects(delegate("2001:db8:1:80::/60", 8), overlaps);
  await assert.rejects(delegate("2001:db8:2::1/56", 8), /lease_address_check/);
  await assert.rejects(delegate("2001:db8:2::/56", 7), /lease_of_association/);
  await using source = new PgSource({ url: site.url, name: "test" });
  const loaded = await source.load();
  const delegated = [];
  for await (const batch of loaded.rows)
    for (const row of batch) if (row.kind === "lease" && row.prefixLength !== undefined) delegated.push(row);
  assert.deepEqual(
    delegated.map(({ identity, iaid, prefixLength, address }) => ({ identity, iaid, prefixLength, address })),
    [{ identity: DUID, iaid: 7, prefixLength: 56, address: ip("2001:db8:1::") }],
  );
});

test("the history knows which DUID had an address", async () => {
  site.sequencer({ pollMs: 5 });
  await site.drained();
  await using stack = new AsyncDisposableStack();
  const pool = stack.adopt(testPool(site.url, 1), (one) => one.end());
  stack.use(startHistory({ url: site.url, name: "test", pollMs: 10 }));
  for (;;) {
    const { tenancies } = await createHistory(pool).whoHad(ip("fd00::12"), Date.now() + 60_000, "default");
    if (tenancies.length > 0) {
      assert.equal(tenancies[0]!.mac, PORT);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
