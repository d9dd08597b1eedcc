import assert from "node:assert/strict";
import test, { after } from "node:test";
import { expectedMachinesSchema, ipamSchema, type SiteDeclaration } from "../../src/config.ts";
import { Refused } from "../../src/store/store.ts";
import { bind, BMC, ground, HOST, SITE, stranger } from "../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, segments, sql } = site;

type Input = { segments?: object[]; machines?: object[]; domains?: object[] };

/** A site of one segment `s` on 10.9.0.0/24 unless said otherwise. */
function file({ segments = [], machines = [], domains = [{ name: "lab.test" }] }: Input): SiteDeclaration {
  return {
    ipam: ipamSchema.parse({ domains, segments: segments.map((one) => ({ domain: "lab.test", ...one })) }),
    expectedMachines: expectedMachinesSchema.parse(machines),
  };
}

async function refused(declaration: SiteDeclaration, because: RegExp): Promise<void> {
  const before = await sql("SELECT max(version) AS version FROM ipam.change_pending");
  await assert.rejects(store.declare(declaration, "config"), (error: Error) => {
    assert.ok(error instanceof Refused, error.stack);
    assert.match(error.message, because);
    return true;
  });
  assert.deepEqual(await sql("SELECT max(version) AS version FROM ipam.change_pending"), before, "all or nothing");
}

test("declaring the same again changes nothing and tells nobody", async () => {
  const [{ n } = { n: 0 }] = await sql<{ n: number }>("SELECT count(*)::int AS n FROM ipam.change_pending");
  const again = await store.declare(SITE, "config");
  assert.deepEqual(again.changed, []);
  assert.equal(again.segments.length, SITE.ipam.segments.length);
  assert.deepEqual(await sql("SELECT count(*)::int AS n FROM ipam.change_pending"), [{ n }]);
});

test("what differs is changed and said, what is not written stays", async () => {
  const s = { name: "s", prefixes: [{ prefix: "10.9.0.0/24" }] };
  assert.deepEqual((await store.declare(file({ segments: [s] }), "config")).changed, [
    "segment s: created",
    "segment s: prefix 10.9.0.0/24: created",
  ]);
  const wider = { ...s, mtu: 9000, vlan: 12, prefixes: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1" }] };
  assert.deepEqual((await store.declare(file({ segments: [wider] }), "config")).changed, [
    "segment s: mtu 1500 → 9000",
    "segment s: vlan none → 12",
    "segment s: prefix 10.9.0.0/24: gateway none → 10.9.0.1",
  ]);
  const elsewhere = { ...s, prefixes: [{ prefix: "10.9.1.0/24" }] };
  await store.declare(file({ segments: [elsewhere] }), "config");
  assert.deepEqual(
    await sql(
      "SELECT prefix::text FROM ipam.prefix p JOIN ipam.segment s ON s.id = p.segment WHERE s.name = 's' ORDER BY 1",
    ),
    [{ prefix: "10.9.0.0/24" }, { prefix: "10.9.1.0/24" }],
    "a declaration never removes",
  );
  assert.equal((await sql("SELECT 1 FROM ipam.segment")).length, SITE.ipam.segments.length + 1);
});

test("an edit that would orphan an address in use is refused, with the address and its holder", async () => {
  await store.commit(
    [bind(segments["open"]!, stranger(1), "10.0.0.20"), bind(segments["open"]!, HOST, "10.0.0.30")],
    "t",
  );
  const [open] = SITE.ipam.segments;
  const shrunk = (prefix: object): SiteDeclaration => file({ segments: [{ ...open, prefixes: [prefix] }] });
  await refused(
    shrunk({ prefix: "10.0.0.0/28" }),
    /^segment open: the edit would orphan 10\.0\.0\.20 \(bound to 02:ff:00:00:00:01\), 10\.0\.0\.30 \(bound to 02:00:00:00:01:01 of machine r1\)$/,
  );
  await refused(shrunk({ prefix: "10.0.0.0/24", gateway: "10.0.0.20" }), /orphan 10\.0\.0\.20/);
  await refused(shrunk({ prefix: "10.0.0.0/24", excluded: ["10.0.0.30"] }), /orphan 10\.0\.0\.30/);
  await refused(shrunk({ prefix: "10.0.0.0/24", reserved: 100 }), /orphan 10\.0\.0\.20/);
  await refused(file({ segments: [{ ...open, vrf: "blue" }] }), /^segment open: in use by 10\.0\.0\.20/);
});

test("what cannot be is refused by its rule", async () => {
  await refused(
    file({ segments: [{ name: "x", prefixes: [{ prefix: "10.0.1.128/25" }] }] }),
    /prefix 10\.0\.1\.128\/25 overlaps 10\.0\.1\.0\/24 of segment closed in vrf default/,
  );
  await refused(
    file({ segments: [{ name: "x", domain: "nowhere.test", prefixes: [{ prefix: "10.8.0.0/24" }] }] }),
    /no domain nowhere\.test/,
  );
  await refused(
    file({ segments: [{ name: "x", prefixes: [{ prefix: "10.8.0.0/24", gateway: "10.7.0.1" }] }] }),
    /gateway must lie in its prefix/,
  );
  await refused(
    file({ segments: [{ name: "x", prefixes: [{ prefix: "10.8.0.0/30", reserved: 9 }] }] }),
    /more addresses are reserved than the prefix has/,
  );
  await refused(file({ segments: [{ name: "x", prefixes: [{ prefix: "10.8.0.1/24" }] }] }), /10\.8\.0\.1\/24/);
});

test("tenants overlap, each in its own vrf", async () => {
  const red = { name: "red", vrf: "red", prefixes: [{ prefix: "10.0.0.0/24" }] };
  assert.equal((await store.declare(file({ segments: [red] }), "config")).changed[0], "segment red: created");
});

const host = (name: string, mac: string, more: object = {}): object => ({
  name,
  interfaces: [{ mac, role: "host", ...more }],
});

test("expected devices that clash are refused, both named", async () => {
  const [a, b] = ["02:00:00:00:09:01", "02:00:00:00:09:02"] as const;
  await refused(
    file({ machines: [host("m1", a), host("m2", a)] }),
    /^expected device 02:00:00:00:09:01 is written twice/,
  );
  await refused(
    file({ machines: [host("m1", a, { label: "same" }), host("m2", b, { label: "same" })] }),
    /^label same is declared for 02:00:00:00:09:01 and 02:00:00:00:09:02/,
  );
  await refused(
    file({ machines: [host("m1", a, { address: "10.0.3.44" }), host("m2", b, { address: "10.0.3.44" })] }),
    /^address 10\.0\.3\.44 is declared for/,
  );
  await refused(
    file({ machines: [host("m1", a, { address: "10.0.0.1" })] }),
    /address 10\.0\.0\.1 is gateway, reserved, excluded, network or broadcast of segment open/,
  );
  await refused(
    file({ machines: [host("m1", a, { address: "10.0.0.20" })] }),
    /address 10\.0\.0\.20 is held by 02:ff:00:00:00:01/,
  );
});

test("two machines may swap their labels in one declaration", async () => {
  const [a, b] = ["02:00:00:00:08:01", "02:00:00:00:08:02"] as const;
  await store.declare(
    file({ machines: [host("m1", a, { label: "left" }), host("m2", b, { label: "right" })] }),
    "config",
  );
  const { changed } = await store.declare(
    file({ machines: [host("m1", a, { label: "right" }), host("m2", b, { label: "left" })] }),
    "config",
  );
  assert.deepEqual(changed, [`expected device ${a} (right): changed`, `expected device ${b} (left): changed`]);
});

test("a device that was seen before it was expected joins its machine, and may then enter a closed segment", async () => {
  const mac = "02:ff:00:00:00:01";
  await store.declare(file({ machines: [host("late", mac)] }), "config");
  const [row] = await sql("SELECT role, machine, label, identified_by FROM ipam.interface WHERE mac = $1", [mac]);
  assert.deepEqual(row, { role: "host", machine: "late", label: "late", identified_by: "expected" });
  const [outcome] = await store.commit([bind(segments["closed"]!, stranger(1), "10.0.1.7")], "t");
  assert.equal(outcome?.is, "bound");
});

test("a declared address is its device's alone, from the declaration on", async () => {
  const [other] = await store.commit([bind(segments["declared"]!, HOST, "10.0.3.20")], "t");
  const [own] = await store.commit([bind(segments["declared"]!, BMC, "10.0.3.20")], "t");
  assert.deepEqual([other?.is, own?.is], ["refused", "bound"]);
});
