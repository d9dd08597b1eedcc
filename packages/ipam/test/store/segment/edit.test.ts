import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatMac, isMalformed, type Prefix, parsePrefix } from "@firstlight/wire";
import { Refused, type SegmentEdit } from "../../../src/store/store.ts";
import { back, bind, ground, HOST, ip, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;

function net(text: string): Prefix {
  const value = parsePrefix(text);
  assert.ok(!isMalformed(value), text);
  return value;
}

const NEW: SegmentEdit = {
  name: "new",
  is: "tenant",
  domain: "lab.test",
  vrf: "default",
  mtu: 1500,
  leaseSeconds: 600,
  graceSeconds: 60,
  admission: "open",
  allocation: "dynamic",
  policy: "dynamic",
  naming: "address",
  options: {},
  boots: true,
  prefixes: [{ prefix: net("10.5.0.0/24"), gateway: ip("10.5.0.1"), reserved: 1, excluded: [] }],
};

async function refused(act: Promise<unknown>, because: RegExp): Promise<void> {
  await assert.rejects(act, (error: Error) => {
    assert.ok(error instanceof Refused, error.stack);
    assert.match(error.message, because);
    return true;
  });
}

/** What waits in the outbox since a version: kind, key and whether the row is still there. */
async function told(since: number): Promise<string[]> {
  const rows = await sql<{ kind: string; key: string; here: boolean }>(
    `SELECT kind, key, "row" IS NOT NULL AS here FROM ipam.change_pending WHERE version > $1 ORDER BY version`,
    [since],
  );
  return rows.map(({ kind, key, here }) => `${kind} ${key}${here ? "" : " gone"}`);
}

test("a segment is created, edited and deleted; every row of it leaves its change", async () => {
  const created = await store.createSegment(NEW, "operator/test");
  await refused(store.createSegment(NEW, "operator/test"), /^segment new exists already$/);
  const edited = await store.updateSegment("new", { name: "newer", mtu: 9000 }, "operator/test");
  assert.deepEqual([edited.id, edited.name, edited.mtu], [created.id, "newer", 9000]);
  assert.ok(edited.version > created.version);
  await refused(store.updateSegment("newer", { name: "open" }, "operator/test"), /^segment open exists already$/);
  await refused(store.updateSegment("new", { mtu: 1500 }, "operator/test"), /^there is no segment new$/);

  const [outcome] = await store.commit([bind(created.id, stranger(1), "10.5.0.5")], "t");
  assert.ok(outcome?.is === "bound");
  await refused(
    store.deleteSegment("newer", "operator/test"),
    /^segment newer: in use by 10\.5\.0\.5 \(bound to 02:ff:00:00:00:01\)$/,
  );
  const [rests] = await store.commit([back("release", created.id, stranger(1), "10.5.0.5")], "t");
  assert.ok(rests?.is === "givenBack");
  await refused(
    store.deleteSegment("newer", "operator/test"),
    /10\.5\.0\.5 \(released by 02:ff:00:00:00:01, rests until \d{4}-/,
  );
  await sql("UPDATE ipam.lease SET reusable_at = now() WHERE address = '10.5.0.5'");
  const [{ prefix } = { prefix: 0 }] = await sql<{ prefix: number }>(
    "SELECT id AS prefix FROM ipam.prefix WHERE segment = $1",
    [created.id],
  );
  await store.deleteSegment("newer", "operator/test");
  assert.deepEqual(await told(rests.lease.version), [
    "lease default/10.5.0.5 gone",
    `interface ${outcome.interface.id} gone`,
    `prefix ${prefix} gone`,
    `segment ${created.id} gone`,
  ]);
  await refused(store.deleteSegment("newer", "operator/test"), /^there is no segment newer$/);
});

test("an operator's edit replaces the prefixes, but not under somebody's address", async () => {
  const { id } = await store.createSegment({ ...NEW, name: "two" }, "operator/test");
  await store.commit([bind(id, stranger(2), "10.5.0.9")], "t");
  const other = { prefix: net("10.6.0.0/24"), reserved: 1, excluded: [] };
  await refused(
    store.updateSegment("two", { prefixes: [other] }, "operator/test"),
    /^segment two: the edit would orphan 10\.5\.0\.9/,
  );
  await store.updateSegment("two", { prefixes: [...NEW.prefixes, other] }, "operator/test");
  await store.updateSegment("two", { prefixes: NEW.prefixes }, "operator/test");
  assert.deepEqual(await sql("SELECT prefix::text FROM ipam.prefix WHERE segment = $1", [id]), [
    { prefix: "10.5.0.0/24" },
  ]);
});

test("an optional field is taken back by writing it as undefined", async () => {
  await store.updateSegment("two", { vlan: 7 }, "operator/test");
  assert.equal((await store.updateSegment("two", { mtu: 1600 }, "operator/test")).vlan, 7);
  const { vlan } = await store.updateSegment("two", { vlan: undefined }, "operator/test");
  assert.equal(vlan, undefined);
});

test("a name is in its zone, a CNAME stands alone, and what is not there cannot be deleted", async () => {
  const [{ domain } = { domain: 0 }] = await sql<{ domain: number }>("SELECT id AS domain FROM ipam.domain");
  const put = (owner: string, type: "A" | "CNAME" | "PTR", data: string, ttlSeconds = 60) =>
    store.putName({ domain, owner, type, data, ttlSeconds }, "operator/test");
  const first = await put("ntp.lab.test", "A", "10.0.0.5");
  const again = await put("ntp.lab.test", "A", "10.0.0.5", 90);
  assert.deepEqual([again.id, again.ttlSeconds], [first.id, 90]);
  await put("ntp.lab.test", "A", "10.0.0.6");
  await refused(put("ntp.lab.test", "CNAME", "a.lab.test"), /has A records: a CNAME stands alone/);
  await put("www.lab.test", "CNAME", "ntp.lab.test");
  await refused(put("www.lab.test", "A", "10.0.0.7"), /has CNAME records/);
  await refused(put("ntp.elsewhere.test", "A", "10.0.0.5"), /^name ntp\.elsewhere\.test is not in lab\.test$/);
  await put("5.0.0.10.in-addr.arpa", "PTR", "ntp.lab.test");
  await refused(
    store.putName({ domain: 999, owner: "a.b", type: "A", data: "10.0.0.1", ttlSeconds: 60 }, "t"),
    /no domain 999/,
  );
  await store.deleteName("ntp.lab.test", "A", "operator/test");
  await refused(store.deleteName("ntp.lab.test", "A", "operator/test"), /^there is no A record ntp\.lab\.test$/);
});

test("a label that is taken by a declaration elsewhere never blocks an address", async () => {
  const { id } = await store.createSegment(
    { ...NEW, name: "three", prefixes: [{ prefix: net("10.7.0.0/24"), reserved: 1, excluded: [] }] },
    "t",
  );
  const macs = Array.from({ length: 7 }, (_, n) => stranger(100 + n));
  await store.commit(
    macs.map((mac, n) => bind(id, mac, `10.7.0.${10 + n}`)),
    "t",
  );
  for (const [n, mac] of macs.entries()) {
    await sql("UPDATE ipam.interface SET label = $2 WHERE mac = $1", [formatMac(mac), n === 0 ? "r1" : `r1-${n + 1}`]);
  }
  const [outcome] = await store.commit([bind(id, HOST, "10.7.0.50")], "t");
  assert.ok(outcome?.is === "bound");
  assert.equal(outcome.interface.label, undefined);
  assert.equal(outcome.interface.machine, "r1");
});

test("a database that hangs up in the middle of a transaction is an error of that call, and the next call works", async () => {
  const { id } = await store.createSegment(
    { ...NEW, name: "four", prefixes: [{ prefix: net("10.8.0.0/24"), reserved: 1, excluded: [] }] },
    "t",
  );
  const blocker = site.blocker(`SELECT pg_advisory_xact_lock(1179403605, ${id & 255})`);
  await using held = await blocker;
  const waiting = store.commit([bind(id, stranger(200), "10.8.0.10")], "t");
  const lost = assert.rejects(waiting, /terminat/i);
  await held.hangUp();
  await lost;
  await held[Symbol.asyncDispose]();
  assert.equal((await store.commit([bind(id, stranger(200), "10.8.0.10")], "t"))[0]?.is, "bound");
});

test("an edit of one segment and the leases of another go on beside each other; in one segment they take turns", async () => {
  const segment = (name: string, prefix: string) =>
    store.createSegment({ ...NEW, name, prefixes: [{ prefix: net(prefix), reserved: 1, excluded: [] }] }, "t");
  const [here, there] = [await segment("here", "10.9.0.0/24"), await segment("there", "10.9.1.0/24")];
  assert.notEqual(here.id & 255, there.id & 255);
  {
    await using _edited = await site.blocker(`SELECT pg_advisory_xact_lock(1179403605, ${here.id & 255})`);
    assert.equal((await store.commit([bind(there.id, stranger(210), "10.9.1.10")], "t"))[0]?.is, "bound");
    let isTold = false;
    const waits = store.commit([bind(here.id, stranger(211), "10.9.0.11")], "t").finally(() => (isTold = true));
    await store.drain("there", undefined, "draining", "t");
    assert.equal(isTold, false);
    await _edited[Symbol.asyncDispose]();
    assert.equal((await waits)[0]?.is, "bound");
  }
  await using _batch = await site.blocker(`SELECT pg_advisory_xact_lock_shared(1179403605, ${here.id & 255})`);
  await store.drain("there", undefined, "active", "t");
  assert.equal((await store.commit([bind(here.id, stranger(212), "10.9.0.12")], "t"))[0]?.is, "bound");
});

test("a reserved range gives nothing, from the edit on; it is refused where an address would lose its place", async () => {
  const prefixes = [{ ...NEW.prefixes[0]!, prefix: net("10.6.0.0/29"), gateway: ip("10.6.0.1") }];
  const { id } = await store.createSegment({ ...NEW, name: "ranged", prefixes }, "operator/test");
  const reserve = (first: string, last: string) =>
    store.updateSegment(
      "ranged",
      { prefixes: [{ ...prefixes[0]!, reservedRanges: [{ first: ip(first), last: ip(last) }] }] },
      "operator/test",
    );
  const bound = await store.commit([bind(id, stranger(61), "10.6.0.5")], "t");
  assert.equal(bound[0]?.is, "bound");
  await refused(
    reserve("10.6.0.4", "10.6.0.6"),
    /^segment ranged: the edit would orphan 10\.6\.0\.5 \(bound to 02:ff:/,
  );
  await reserve("10.6.0.2", "10.6.0.4");
  const [first, last] = await store.commit(
    [bind(id, stranger(62), "10.6.0.4"), bind(id, stranger(63), "10.6.0.6")],
    "t",
  );
  assert.deepEqual(
    [first, last].map((one) => one?.is),
    ["refused", "bound"],
  );
  await store.updateSegment("ranged", { prefixes }, "an editor that does not know of ranges");
  assert.deepEqual(await sql("SELECT reserved_ranges AS r FROM ipam.prefix WHERE segment = $1", [id]), [
    { r: [["10.6.0.2", "10.6.0.4"]] },
  ]);
});
