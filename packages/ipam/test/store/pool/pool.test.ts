import assert from "node:assert/strict";
import test, { after } from "node:test";
import { systemClock } from "@firstlight/service";
import { isMalformed } from "@firstlight/wire";
import { assert as holds, constantFrom, property, string } from "fast-check";
import { Memory } from "../../../src/replica/memory/memory.ts";
import { type PoolForm, readRange, readSlot, showSlot } from "../../../src/pool/slot.ts";
import { Refused } from "../../../src/store/store.ts";
import { ground } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;

const FORMS: readonly (readonly [PoolForm, string, string, bigint])[] = [
  [{ is: "integer" }, "100-199", "107", 100n],
  [{ is: "integer" }, "4200000000-4294967294", "4200000001", 94_967_295n],
  [{ is: "ipv4" }, "10.0.0.0/24", "10.0.0.7", 256n],
  [{ is: "ipv4" }, "10.0.0.5-10.0.0.9", "10.0.0.9", 5n],
  [{ is: "ipv6" }, "fd00::/64", "fd00::7", 2n ** 64n],
  [{ is: "prefix", length: 48 }, "2001:db8::/32", "2001:db8:7::/48", 65_536n],
  [{ is: "prefix", length: 56 }, "2001:db8::/56", "2001:db8::/56", 1n],
];

test("a value is read and shown alike, in every form", () => {
  for (const [form, range, value, size] of FORMS) {
    const read = readRange(form, range);
    assert.ok(!isMalformed(read), range);
    assert.equal(read.end - read.first, size, range);
    const slot = readSlot(form, value);
    assert.ok(!isMalformed(slot) && slot >= read.first && slot < read.end, value);
    assert.equal(showSlot(form, slot), value);
  }
});

test("any text is a range or malformed, with the reason", () => {
  for (const [form, text] of [
    [{ is: "integer" }, "9-1"],
    [{ is: "integer" }, "10.0.0.0/8"],
    [{ is: "integer" }, "-1"],
    [{ is: "ipv4" }, "fd00::1"],
    [{ is: "prefix", length: 48 }, "2001:db8::/64"],
    [{ is: "prefix", length: 48 }, "2001:db8::1"],
  ] as const)
    assert.ok(isMalformed(readRange(form, text)), text);
  holds(
    property(constantFrom(...FORMS), string(), ([form], text) => {
      const range = readRange(form, text);
      assert.ok(isMalformed(range) ? range.because.length > 0 : range.first < range.end);
    }),
  );
});

const value = async (pool: string, owner: string, more: object = {}): Promise<string> =>
  (await store.allocate({ pool, owner, ...more }, "operator/test")).value;
const refused = (act: Promise<unknown>, because: RegExp): Promise<void> =>
  assert.rejects(act, (error: Error) => {
    assert.ok(error instanceof Refused, error.stack);
    assert.match(error.message, because);
    return true;
  });
const freeOf = async (pool: string): Promise<string[]> =>
  (
    await sql<{ free: string }>(
      "SELECT f.free::text FROM ipam.pool_free f JOIN ipam.pool p ON p.id = f.pool WHERE p.name = $1 ORDER BY f.free",
      [pool],
    )
  ).map(({ free }) => free);

test("the lowest free value is given, from a hint on and round again; an owner keeps what it has", async () => {
  await store.putPool({ name: "vlan", is: "integer", ranges: ["100-104"], excluded: ["101"] }, "operator/test");
  assert.equal(await value("vlan", "a"), "100");
  assert.equal(await value("vlan", "b"), "102");
  assert.equal(await value("vlan", "b"), "102", "asked again");
  assert.equal(await value("vlan", "c", { hint: "104" }), "104");
  assert.equal(await value("vlan", "d", { hint: "104" }), "103");
  await refused(value("vlan", "e"), /^pool vlan is exhausted: 4 of 4 values are given$/);
  await store.release({ pool: "vlan", value: "102", owner: "b" }, "operator/test");
  assert.equal(await value("vlan", "e"), "102");
});

test("a wanted value is given or refused with who has it; only its owner gives it back", async () => {
  await store.putPool({ name: "asn", is: "integer", ranges: ["64512-65534"], excluded: [] }, "operator/test");
  assert.equal(await value("asn", "leaf-1", { wanted: "65000" }), "65000");
  await refused(value("asn", "leaf-2", { wanted: "65000" }), /^pool asn: 65000 is given to leaf-1$/);
  await refused(value("asn", "leaf-2", { wanted: "7" }), /^pool asn: 7 is not one of its values$/);
  await refused(value("asn", "leaf-1", { wanted: "65001" }), /^pool asn: leaf-1 has 65000 already$/);
  await refused(value("asn", "leaf-2", { wanted: "x" }), /want a whole number$/);
  await refused(value("nowhere", "x"), /^there is no pool nowhere$/);
  const release = (owner: string, value = "65000"): Promise<void> =>
    store.release({ pool: "asn", value, owner }, "operator/test");
  await refused(release("leaf-2"), /^pool asn: 65000 is given to leaf-1$/);
  await refused(release("leaf-2", "65001"), /^pool asn: 65001 is given to nobody$/);
  await release("leaf-1");
  assert.deepEqual(await freeOf("asn"), ["[64512,65535)"], "what comes back joins what is free around it");
});

test("addresses and delegated prefixes are values too, of pools that no table could hold row by row", async () => {
  await store.putPool({ name: "lo", is: "ipv4", ranges: ["10.255.0.0/16"], excluded: ["10.255.0.0"] }, "operator/test");
  await store.putPool({ name: "lo6", is: "ipv6", ranges: ["fd00:1::/64"], excluded: [] }, "operator/test");
  await store.putPool(
    { name: "pd", is: "prefix", length: 56, ranges: ["2001:db8::/32"], excluded: [] },
    "operator/test",
  );
  assert.equal(await value("lo", "dpu-1"), "10.255.0.1");
  assert.equal(await value("lo6", "dpu-1", { wanted: "fd00:1::ffff" }), "fd00:1::ffff");
  assert.equal(await value("pd", "vpc-1"), "2001:db8::/56");
  assert.equal(await value("pd", "vpc-2"), "2001:db8:0:100::/56");
  const pd = (await store.pools()).find(({ name }) => name === "pd");
  assert.deepEqual([pd?.granted, pd?.free, pd?.ranges], [2, 2n ** 24n - 2n, ["2001:db8::/56-2001:db8:ffff:ff00::/56"]]);
  assert.deepEqual(
    (await store.grants("pd", undefined, 1)).map(({ value, owner }) => `${value} ${owner}`),
    ["2001:db8::/56 vpc-1"],
  );
  assert.deepEqual(
    (await store.grants("pd", "2001:db8::/56", 9)).map(({ owner }) => owner),
    ["vpc-2"],
  );
});

test("a pool grows and shrinks where it is free; where it is given the edit is refused with value and owner", async () => {
  const put = (ranges: string[], excluded: string[] = []): Promise<void> =>
    store.putPool({ name: "vni", is: "integer", ranges, excluded }, "operator/test");
  await put(["1-10"]);
  await value("vni", "a", { wanted: "5" });
  await put(["3-6", "20-21"], ["4"]);
  assert.deepEqual(await freeOf("vni"), ["[3,4)", "[6,7)", "[20,22)"]);
  await refused(put(["6-9"]), /^pool vni: 5 is given to a$/);
  await refused(put(["1-9"], ["5"]), /^pool vni: 5 is given to a$/);
  await refused(
    store.putPool({ name: "vni", is: "ipv4", ranges: ["10.0.0.0/24"], excluded: [] }, "t"),
    /a pool stays what it is \(integer\)/,
  );
  await refused(store.deletePool("vni", "t"), /^pool vni: 5 is given to a$/);
  await store.release({ pool: "vni", value: "5", owner: "a" }, "t");
  assert.deepEqual(await freeOf("vni"), ["[3,4)", "[5,7)", "[20,22)"]);
  await store.deletePool("vni", "t");
  await refused(store.deletePool("vni", "t"), /^there is no pool vni$/);
});

test("many writers at once: each value once, and free and given are the whole pool at the end", async () => {
  await store.putPool({ name: "busy", is: "integer", ranges: ["0-63"], excluded: [] }, "t");
  const stores = [store, site.anotherStore(), site.anotherStore()];
  const owners = Array.from({ length: 80 }, (_, n) => `o${n}`);
  const given = await Promise.all(
    owners.map((owner, n) =>
      stores[n % 3]!.allocate({ pool: "busy", owner }, "t").catch((error: Error) => error.message),
    ),
  );
  const grants = given.filter((one) => typeof one !== "string");
  assert.equal(grants.length, 64);
  assert.equal(new Set(grants.map(({ value }) => value)).size, 64);
  assert.deepEqual(
    [...new Set(given.filter((one) => typeof one === "string"))],
    ["pool busy is exhausted: 64 of 64 values are given"],
  );
  await Promise.all(grants.slice(0, 40).map((grant, n) => stores[n % 3]!.release(grant, "t")));
  const [{ free } = { free: "" }] = await sql<{ free: string }>(
    "SELECT sum(upper(free) - lower(free)) AS free FROM ipam.pool_free f JOIN ipam.pool p ON p.id = f.pool WHERE name = 'busy'",
  );
  assert.equal(free, "40");
});

test("every grant and every return is in the audit, and a replica reads past it", async () => {
  const kinds = await sql<{ kind: string }>(
    "SELECT DISTINCT kind FROM ipam.change_pending WHERE key LIKE 'busy%' ORDER BY 1",
  );
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ["grant", "pool"],
  );
  site.sequencer();
  await site.drained();
  const [{ epoch } = { epoch: "" }] = await sql<{ epoch: string }>("SELECT epoch FROM ipam.feed LIMIT 1");
  const pulled = await store.changes({ epoch, position: 0 }, 10_000);
  assert.ok(pulled.is === "changes");
  const grants = pulled.changes.filter(({ kind }) => kind === "grant");
  assert.ok(grants.length > 0);
  for (const change of grants) assert.equal(change.is, "unread", "no replica holds it");
  const memory = new Memory(systemClock);
  assert.equal(memory.apply(pulled.changes), "applied");
  assert.equal(memory.at.position, pulled.changes.at(-1)!.position, "their positions count");
});
