/** A segment's VLAN, VNI, ASN and loopback from resource pools: taken, kept, given back. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatAddress } from "@firstlight/wire";
import { ipamSchema, type SiteDeclaration } from "../../../src/config.ts";
import { Refused } from "../../../src/store/store.ts";
import { ground, SITE } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store } = site;

const POOLS = [
  { name: "vlan", kind: "integer", ranges: ["100-102"] },
  { name: "vni", kind: "integer", ranges: ["5000-5999"] },
  { name: "loopback", kind: "ipv4", ranges: ["10.255.0.1-10.255.0.9"] },
  { name: "wide", kind: "integer", ranges: ["9000-9999"] },
];

/** A site whose n-th segment is `t<n>` on 10.30.n.0/24. */
function file(segments: readonly object[], reservations: readonly object[] = []): SiteDeclaration {
  const named = segments.map((one, n) => ({
    name: `t${n}`,
    domain: "lab.test",
    kind: "tenant",
    prefixes: [{ prefix: `10.30.${n}.0/24` }],
    ...one,
  }));
  const ipam = ipamSchema.parse({ domains: [{ name: "lab.test" }], pools: POOLS, segments: named, reservations });
  return { ...SITE, ipam };
}

const given = async (pool: string): Promise<string[]> =>
  (await store.grants(pool, undefined, 100)).map(({ value, owner }) => `${value} ${owner}`);

const vlan = { vlan: { pool: "vlan" } };

test("a segment is given what it asks of a pool when it is made, and has it through every restart of the API", async () => {
  const site = file([{ ...vlan, vni: { pool: "vni" }, loopback: { pool: "loopback" }, asn: 65_000 }]);
  const [first] = (await store.declare(site, "config")).segments;
  assert.deepEqual([first?.vlan, first?.vni, first?.asn], [100, 5000, 65_000]);
  assert.equal(formatAddress(first!.loopback!), "10.255.0.1");
  assert.deepEqual(first?.fromPools, { vlan: "vlan", vni: "vni", loopback: "loopback" });
  const again = await store.declare(site, "config");
  assert.deepEqual([again.changed, again.faults], [[], []]);
  assert.deepEqual(await given("vlan"), ["100 segment t0 vlan"]);
});

test("a renamed segment keeps its values; a deleted one gives them back, and one that asks no more", async () => {
  const renamed = await store.updateSegment("t0", { name: "blue" }, "t");
  assert.deepEqual([renamed.vlan, await given("vlan")], [100, ["100 segment blue vlan"]]);
  const other = await store
    .updateSegment("blue", { vlan: { pool: "wide" } }, "t")
    .catch((error: Error) => error.message);
  assert.equal(other, "segment blue: vlan 9000 of pool wide is not 1 to 4094");
  assert.deepEqual(await given("wide"), [], "what is refused takes nothing");
  const own = await store.updateSegment("blue", { vlan: 7 }, "t");
  assert.deepEqual([own.vlan, own.fromPools, await given("vlan")], [7, { vni: "vni", loopback: "loopback" }, []]);
  const none = await store.updateSegment("blue", { vni: undefined }, "t");
  assert.deepEqual([none.vni, none.fromPools, await given("vni")], [undefined, { loopback: "loopback" }, []]);
  await store.deleteSegment("blue", "t");
  assert.deepEqual(await given("loopback"), []);
});

test("a pool that is exhausted leaves out the segment that asks it, and nobody else", async () => {
  const reservation = { segment: "t3", address: "10.30.3.9", mac: "02:00:00:00:09:01" };
  const site = file([vlan, vlan, vlan, vlan, { vlan: 7 }], [reservation]);
  const { segments, faults } = await store.declare(site, "config");
  assert.deepEqual(
    segments.map(({ name, vlan }) => `${name} ${vlan}`),
    ["t0 100", "t1 101", "t2 102", "t4 7"],
  );
  assert.deepEqual(faults, [
    "segment t3: no vlan: pool vlan is exhausted: 3 of 3 values are given",
    "reservation of 10.30.3.9: segment t3 could not be made",
  ]);
  await store.deleteSegment("t1", "t");
  const after = await store.declare(file([vlan, {}, vlan, vlan, { vlan: 7 }], [reservation]), "config");
  assert.deepEqual(after.faults, []);
  assert.equal(after.segments.find(({ name }) => name === "t3")?.vlan, 101);
});

const refused = (edit: Parameters<typeof store.updateSegment>[1], because: RegExp): Promise<void> =>
  assert.rejects(store.updateSegment("t4", edit, "t"), (error: Error) => {
    assert.ok(error instanceof Refused, error.stack);
    assert.match(error.message, because);
    return true;
  });

test("through the API the edit is refused, with what is wrong", async () => {
  await refused({ vlan: { pool: "vlan" } }, /^segment t4: no vlan: pool vlan is exhausted: 3 of 3 values are given$/);
  await refused({ vlan: { pool: "nowhere" } }, /^segment t4: no vlan: there is no pool nowhere$/);
  await refused({ vlan: { pool: "loopback" } }, /^segment t4: vlan 10\.255\.0\.\d of pool loopback is not 1 to 4094$/);
  await refused({ loopback: { pool: "vni" } }, /^segment t4: loopback 5000 of pool vni is not an address$/);
});

test("many segments made at once: each value once", async () => {
  const other = site.anotherStore();
  await store.putPool({ name: "many", is: "integer", ranges: ["1-50"], excluded: [] }, "t");
  await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).createSegment(
        {
          name: `m${n}`,
          is: "tenant",
          domain: "lab.test",
          vrf: `m${n}`,
          mtu: 1500,
          leaseSeconds: 600,
          graceSeconds: 60,
          admission: "open",
          allocation: "dynamic",
          policy: "dynamic",
          naming: "address",
          options: {},
          boots: true,
          vni: { pool: "many" },
          prefixes: [],
        },
        "t",
      ),
    ),
  );
  assert.equal(new Set((await given("many")).map((one) => one.split(" ")[0])).size, 20);
});
