/**
 * The incumbent's conformance vectors of its address management (V4, V5, V6, V9, V15), and what it is known to be weak
 * in (19 to 30 of its fact sheet), each as a claim about this one, on real PostgreSQL.
 */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { systemClock } from "@firstlight/service";
import { formatAddress, isMalformed, parsePrefix, type Prefix } from "@firstlight/wire";
import { Client } from "pg";
import { candidate } from "../../../src/allocation/allocate.ts";
import { createReplica } from "../../../src/feed/follower.ts";
import { Tables } from "../../../src/replica/memory/tables.ts";
import { startHistory } from "../../../src/history/keeper.ts";
import { createHistory } from "../../../src/history/read.ts";
import type { Segment } from "../../../src/model/model.ts";
import { hostLabel } from "../../../src/names/records.ts";
import { PgSource } from "../../../src/feed/postgres.ts";
import { Refused, type SegmentEdit } from "../../../src/store/store.ts";
import { commitBatch } from "../../../src/store/lease/commit.ts";
import { back, bind, BMC, ground, ip, said, stranger } from "../../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
site.sequencer({ pollMs: 10 });
const source = parts.use(new PgSource({ url: site.url, name: "weakness" }));
const { replica } = parts.use(await createReplica(source, systemClock, { pollMs: 10 }));
const { store, segments } = site;
const [open, declared] = [segments["open"]!, segments["declared"]!];

function net(text: string): Prefix {
  const prefix = parsePrefix(text);
  assert.ok(!isMalformed(prefix), text);
  return prefix;
}

type Space = { prefix: string; gateway?: string; reserved?: number; excluded?: string[] };

/** A new segment that gives the lowest address first, as soon as the replica has it. */
async function sequential(name: string, spaces: Space[], more: Partial<SegmentEdit> = {}): Promise<Segment> {
  const prefixes = spaces.map(({ prefix, gateway, reserved = 1, excluded = [] }) => ({
    prefix: net(prefix),
    reserved,
    excluded: excluded.map(ip),
    ...(gateway !== undefined && { gateway: ip(gateway) }),
  }));
  const edit: SegmentEdit = {
    name,
    is: "underlay",
    domain: "lab.test",
    vrf: name,
    mtu: 1500,
    leaseSeconds: 600,
    graceSeconds: 3600,
    admission: "open",
    allocation: "sequential",
    policy: "dynamic",
    naming: "address",
    options: {},
    boots: true,
    prefixes,
    ...more,
  };
  const segment = await store.createSegment(edit, "operator/test");
  await until(() => replica.prefixes(segment.id).length === prefixes.length);
  return segment;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What the segment offers this device, and gives when it asks for it: `192.0.2.3`, or why not. */
async function given(segment: Segment, mac: number, family: 4 | 6 = 4): Promise<string> {
  const offer = replica.candidate(segment, mac, family === 6 ? 0n : undefined);
  if (offer.is === "none") return offer.because;
  const [outcome] = await store.commit([bind(segment.id, mac, formatAddress(offer.address))], "daemon/dhcpd");
  assert.equal(outcome?.is, "bound", said(outcome));
  if (outcome?.is === "bound") replica.learn([outcome.interface, outcome.lease]);
  return formatAddress(offer.address);
}

async function givenTo(segment: Segment, first: number, count: number): Promise<string[]> {
  const all: string[] = [];
  for (let n = 0; n < count; n++) all.push(await given(segment, stranger(first + n)));
  return all;
}

test("V4: the first address of 192.0.2.0/24 behind a gateway and three reserved is .3, then .4 to .8", async () => {
  const segment = await sequential("v4", [{ prefix: "192.0.2.0/24", gateway: "192.0.2.1", reserved: 3 }]);
  assert.deepEqual(
    await givenTo(segment, 100, 6),
    [3, 4, 5, 6, 7, 8].map((n) => `192.0.2.${n}`),
  );
});

test("V5: first addresses and what is left: 10.1.1.2 of 253, 2001:db8::1 of a /112, none of a /30 that is all reserved", async () => {
  const v5 = await sequential("v5", [{ prefix: "10.1.1.0/24", gateway: "10.1.1.1" }]);
  assert.equal(await given(v5, stranger(200)), "10.1.1.2");
  const rest = await givenTo(v5, 201, 252);
  assert.deepEqual([rest.at(0), rest.at(-1)], ["10.1.1.3", "10.1.1.254"]);
  assert.equal(await given(v5, stranger(999)), "segment-full");

  const six = await sequential("v5-six", [{ prefix: "2001:db8::/112" }]);
  assert.equal(await given(six, stranger(200), 6), "2001:db8::1");
  const full = await sequential("v5-full", [{ prefix: "10.1.1.0/30", gateway: "10.1.1.1", reserved: 4 }]);
  assert.equal(await given(full, stranger(200)), "segment-full");
});

test("V6: derived host names are the address with dashes, IPv6 in eight whole groups", () => {
  const names = ["192.168.1.0", "2001:db8:abcd::2"].map((text) =>
    hostLabel({ identity: 0 }, ip(text), { naming: "address" }),
  );
  assert.deepEqual(names, ["192-168-1-0", "2001-0db8-abcd-0000-0000-0000-0000-0002"]);
});

test("V9: a given-back lease leaves its interface; an unknown one is none; a declared address never returns to the pool", async () => {
  const mac = stranger(300);
  const [first] = await store.commit([bind(open, mac, "10.0.0.50")], "t");
  assert.equal(said((await store.commit([back("release", open, mac, "10.0.0.50")], "t"))[0]), "givenBack 10.0.0.50");
  assert.equal(said((await store.commit([back("release", open, mac, "10.0.0.51")], "t"))[0]), "no-such-lease");
  const [again] = await store.commit([bind(open, mac, "10.0.0.50")], "t");
  assert.ok(first?.is === "bound" && again?.is === "bound");
  assert.equal(again.interface.id, first.interface.id);

  await store.commit([bind(declared, BMC, "10.0.3.20")], "t");
  await store.commit([back("release", declared, BMC, "10.0.3.20")], "t");
  await site.sql("UPDATE ipam.lease SET reusable_at = now() WHERE address = '10.0.3.20'");
  assert.equal((await store.commit([bind(declared, mac, "10.0.3.20")], "t"))[0]?.is, "refused");
  assert.equal((await store.commit([bind(declared, BMC, "10.0.3.20")], "t"))[0]?.is, "bound");
});

test("V15: lowest first; gateway, SVI, reserved, network and broadcast addresses are never given", async () => {
  const segment = await sequential("v15", [
    { prefix: "198.51.100.0/29", gateway: "198.51.100.3", reserved: 2, excluded: ["198.51.100.5"] },
  ]);
  assert.deepEqual(await givenTo(segment, 400, 4), [
    ...[2, 4, 6].map((n) => `198.51.100.${n}`),
    "segment-full", // 0 and 1 reserved, 3 the gateway, 5 the SVI, 7 broadcast
  ]);
  for (const n of [0, 1, 3, 5, 7]) {
    const [outcome] = await store.commit([bind(segment.id, stranger(410 + n), `198.51.100.${n}`)], "t");
    assert.equal(said(outcome), "address-not-assignable", `.${n}`);
  }
});

test("19: an address is unique in its VRF by constraint, whoever writes and in whatever way", async () => {
  const rivals = [stranger(500), stranger(501)];
  const stores = [store, site.anotherStore()];
  const outcomes = await Promise.all(rivals.map((mac, n) => stores[n]!.commit([bind(open, mac, "10.0.0.60")], "t")));
  assert.deepEqual(outcomes.flat().map(said).toSorted(), ["address-bound-elsewhere", "bound 10.0.0.60"]);
  await assert.rejects(
    site.sql(`INSERT INTO ipam.lease (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at)
      SELECT vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at FROM ipam.lease WHERE address = '10.0.0.60'`),
    /lease_pkey/,
  );
});

test("20: IPv6 prefixes of any length and an IPv4 /31 give addresses, and a /64 stands beside IPv4 without harm", async () => {
  const cases: [string, string, string][] = [
    ["twenty-64", "2001:db8:64::/64", "2001:db8:64::1"],
    ["twenty-96", "2001:db8:96::/96", "2001:db8:96::1"],
    ["twenty-97", "2001:db8:97::/97", "2001:db8:97::1"],
    ["twenty-127", "2001:db8:127::/127", "2001:db8:127::1"],
  ];
  for (const [name, prefix, first] of cases) {
    const segment = await sequential(name, [{ prefix }, { prefix: "10.20.0.0/31", reserved: 0 }]);
    assert.equal(await given(segment, stranger(600), 6), first);
    assert.equal(await given(segment, stranger(600)), "10.20.0.0");
    assert.equal(await given(segment, stranger(601)), "10.20.0.1");
  }
});

test("21: what an allocation looks at does not grow with its prefix, and a freed address rests", async () => {
  const looks = async (name: string, prefix: string): Promise<number> => {
    const segment = await sequential(name, [{ prefix }], { allocation: "dynamic" });
    const tables = new Tables();
    for await (const rows of (await source.load()).rows) for (const row of rows) tables.put(row);
    let count = 0;
    tables.lease = (...key) => (count++, Tables.prototype.lease.apply(tables, key));
    for (let n = 0; n < 50; n++)
      candidate(tables, { segment, identity: stranger(700 + n), now: replica.databaseNow() });
    return count;
  };
  assert.equal(await looks("small", "10.21.0.0/24"), await looks("large", "10.16.0.0/12"));

  const segment = await sequential("rests", [{ prefix: "10.22.0.0/30" }]);
  assert.equal(await given(segment, stranger(790)), "10.22.0.1");
  await store.commit([back("release", segment.id, stranger(790), "10.22.0.1")], "t");
  const [hasty] = await store.commit([bind(segment.id, stranger(791), "10.22.0.1")], "t");
  assert.equal(said(hasty), "address-resting");
});

test("22: an allocation under way locks no table and keeps nobody else waiting", async () => {
  const client = new Client({ connectionString: site.url });
  await client.connect();
  try {
    await client.query("BEGIN");
    assert.equal(
      said((await commitBatch(client, [bind(open, stranger(800), "10.0.0.80")], "t"))[0]),
      "bound 10.0.0.80",
    );
    const { rows } = await client.query<{ mode: string }>(
      "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' ORDER BY mode",
    );
    const harmless = new Set(["AccessShareLock", "RowShareLock", "RowExclusiveLock"]);
    assert.deepEqual(
      rows.filter(({ mode }) => !harmless.has(mode)),
      [],
    );
    assert.equal(said((await store.commit([bind(open, stranger(801), "10.0.0.81")], "t"))[0]), "bound 10.0.0.81");
  } finally {
    await client.end();
  }
});

test("23: a switch's own address in the segment (SVI) is never given, wherever in the prefix it lies", async () => {
  const segment = await sequential("svi", [{ prefix: "10.23.0.0/29", excluded: ["10.23.0.4", "10.23.0.6"] }]);
  assert.deepEqual(await givenTo(segment, 850, 5), [...[1, 2, 3, 5].map((n) => `10.23.0.${n}`), "segment-full"]);
});

test("24: a segment has any number of prefixes, tenants overlap each in its VRF, admin segments are several", async () => {
  const spaces = ["10.24.0.0/31", "10.24.0.4/31", "10.24.0.8/31"].map((prefix) => ({ prefix, reserved: 0 }));
  const six = ["fd24::/64", "fd24:1::/64"].map((prefix) => ({ prefix }));
  const red = await sequential("red", [...spaces, ...six], { is: "admin" });
  const blue = await sequential("blue", [...spaces, ...six], { is: "admin" });
  for (const segment of [red, blue]) {
    assert.deepEqual(await givenTo(segment, 900, 6), [
      "10.24.0.0",
      "10.24.0.1",
      "10.24.0.4",
      "10.24.0.5",
      "10.24.0.8",
      "10.24.0.9",
    ]);
    assert.equal(await given(segment, stranger(900), 6), "fd24::1");
  }
});

function edit(change: Partial<SegmentEdit>): Promise<Segment> {
  return store.updateSegment("edited", change, "operator/test");
}

function resized(prefix: string, gateway: string): Partial<SegmentEdit> {
  return { prefixes: [{ prefix: net(prefix), gateway: ip(gateway), reserved: 1, excluded: [] }] };
}

test("25: a segment is edited while it serves: allocation, gateway, size; it shrinks where it is free, and says where not", async () => {
  const segment = await sequential("edited", [{ prefix: "10.25.0.0/24", gateway: "10.25.0.1" }]);
  assert.equal(await given(segment, stranger(950)), "10.25.0.2");
  assert.equal((await edit({ mtu: 9000, allocation: "dynamic" })).allocation, "dynamic");
  await edit(resized("10.25.0.0/23", "10.25.1.254"));
  await edit(resized("10.25.0.0/28", "10.25.0.14"));
  await assert.rejects(edit(resized("10.25.0.0/28", "10.25.0.2")), (error: Error) => {
    assert.ok(error instanceof Refused);
    assert.match(error.message, /^segment edited: the edit would orphan 10\.25\.0\.2 \(bound to 02:ff:00:00:03:b6\)$/);
    return true;
  });
});

test("26: who had an address, who changed what, and how full every prefix is, however large, is known", async () => {
  const segment = await sequential("watched", [{ prefix: "10.26.0.0/30" }, { prefix: "fd26::/64" }]);
  await given(segment, stranger(980));
  await given(segment, stranger(980), 6);
  const pool = parts.adopt(testPool(site.url, 1), (one) => one.end());
  parts.use(startHistory({ url: site.url, name: "weakness", pollMs: 10, sampleSeconds: 0 }));
  const history = createHistory(pool);
  const { tenancies } = await history.whoHad(ip("10.26.0.1"), Date.now() + 1000);
  assert.deepEqual(
    tenancies.map((one) => [one.mac, one.segment, one.is]),
    [["02:ff:00:00:03:d4", "watched", "bound"]],
  );
  await until(async () => (await history.audit({ actor: "operator/test", limit: 1 })).length === 1);
  await until(async () => (await history.utilisation(7)).some((use) => use.segment === "watched"));
  const used = (await history.utilisation(7)).filter((use) => use.segment === "watched");
  assert.deepEqual(
    used.map(({ prefix, assignable, bound }) => [prefix, assignable, bound]),
    [
      ["10.26.0.0/30", 2, 1],
      ["fd26::/64", 2 ** 64, 1],
    ],
  );
});

test("27: who gives an address back must hold it", async () => {
  const [holder, other] = [stranger(1000), stranger(1001)];
  await store.commit([bind(open, holder, "10.0.0.100"), bind(open, other, "10.0.0.101")], "t");
  for (const what of ["release", "decline"] as const)
    assert.equal(said((await store.commit([back(what, open, other, "10.0.0.100")], "t"))[0]), "no-such-lease");
  assert.deepEqual(await site.sql("SELECT state FROM ipam.lease WHERE address = '10.0.0.100'"), [{ state: "bound" }]);
});

test("28: a segment of reserved addresses gives a device the one that is declared for it", async () => {
  const segment = replica.segment(declared)!;
  const offer = replica.candidate(segment, BMC);
  assert.ok(offer.is === "candidate");
  assert.equal(formatAddress(offer.address), "10.0.3.20");
  assert.equal(said((await store.commit([bind(declared, BMC, "10.0.3.20")], "t"))[0]), "bound 10.0.3.20");
  assert.deepEqual(replica.candidate(segment, stranger(1100)), { is: "none", because: "device-not-expected" });
});

test("29: a device that was plugged in elsewhere gets an address there at once, and back again", async () => {
  const here = await sequential("here", [{ prefix: "10.29.0.0/24" }]);
  const there = await sequential("there", [{ prefix: "10.29.1.0/24" }]);
  const mac = stranger(1200);
  assert.deepEqual(
    [await given(here, mac), await given(there, mac), await given(here, mac)],
    ["10.29.0.1", "10.29.1.1", "10.29.0.1"],
  );
});

test("30: a pool is ranges, not rows: billions of values, the lowest first, each to one owner, who alone gives it back", async () => {
  const asn = { name: "asn", is: "integer", excluded: [] } as const;
  const put = (ranges: string[]) => store.putPool({ ...asn, ranges }, "operator/test");
  await put(["4200000000-4294967294"]);
  const owners = Array.from({ length: 20 }, (_, n) => `machine ${n}`);
  const stores = [store, site.anotherStore()];
  const given = await Promise.all(
    owners.map((owner, n) => stores[n % 2]!.allocate({ pool: "asn", owner }, "operator/test")),
  );
  const values = given.map(({ value }) => Number(value)).toSorted((a, b) => a - b);
  assert.deepEqual(
    values,
    owners.map((_, n) => 4_200_000_000 + n),
  );
  const [free] = await site.sql<{ n: number }>(
    "SELECT count(*)::int AS n FROM ipam.pool_free f JOIN ipam.pool p ON p.id = f.pool WHERE p.name = 'asn'",
  );
  assert.equal(free!.n, 1, "what is left is one range");
  const { value } = given[7]!;
  await assert.rejects(store.release({ pool: "asn", value, owner: "machine 1" }, "operator/test"), Refused);
  await store.release({ pool: "asn", value, owner: "machine 7" }, "operator/test");
  await put(["4200000000-4200000999"]); // a pool can shrink where it is free
  await assert.rejects(put(["4200000010-4200000999"]), Refused);
});
