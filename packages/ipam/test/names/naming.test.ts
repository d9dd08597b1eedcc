import assert from "node:assert/strict";
import test, { after } from "node:test";
import { dataText, dnsName, ManualClock } from "@firstlight/kit";
import { ipamSchema, expectedMachinesSchema, type SiteDeclaration } from "../../src/config.ts";
import { affectedBy } from "../../src/names/affected.ts";
import { Memory } from "../../src/replica/memory/memory.ts";
import { Tables } from "../../src/replica/memory/tables.ts";
import type { Interface, Row } from "../../src/model/model.ts";
import { labelOf, slug } from "../../src/names/naming.ts";
import { allRecords, recordsAt } from "../../src/names/records.ts";
import { type Json, rowFrom, TABLES } from "../../src/database/rows.ts";
import { bind, ground, mac } from "../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;

const MACHINES = [
  {
    name: "M01",
    serial: "SN 0001/A",
    interfaces: [
      { mac: "02:00:00:00:0a:01", role: "host" },
      { mac: "02:00:00:00:0a:02", role: "host_bmc", label: "console-1" },
    ],
  },
  { name: "m02", serial: "SN 0001/A", interfaces: [{ mac: "02:00:00:00:0b:01", role: "host" }] },
  { name: "m03", interfaces: [{ mac: "02:00:00:00:0c:01", role: "host" }] },
];
const file = (naming: string, more: object = {}): SiteDeclaration => ({
  ipam: ipamSchema.parse({
    domains: [{ name: "lab.test" }],
    segments: [{ name: "named", domain: "lab.test", naming, prefixes: [{ prefix: "10.30.0.0/24" }] }],
    ...more,
  }),
  expectedMachines: expectedMachinesSchema.parse(MACHINES),
});
const { segments } = await store.declare(file("serial"), "config");
const segment = segments[0]!.id;
const [HOST, BMC, TWIN, BARE, STRANGER] = ["0a:01", "0a:02", "0b:01", "0c:01", "ff:01"].map((end) =>
  mac(`02:00:00:00:${end}`),
);

async function replica(): Promise<Memory> {
  const memory = new Memory(new ManualClock());
  const tables = new Tables();
  for (const [kind, table] of Object.entries(TABLES))
    for (const { row } of await sql<{ row: Json }>(`SELECT to_jsonb(t) AS "row" FROM ${table} t`))
      tables.put(rowFrom(kind as Row["kind"], row));
  memory.swap(tables, { epoch: "e", position: 1 }, 1);
  return memory;
}
const at = async (owner: string): Promise<string[]> =>
  recordsAt(await replica(), dnsName(owner)).map(({ type, data }) => `${type} ${dataText(data)}`);
const labels = async (): Promise<(string | null)[]> =>
  (
    await sql<{ label: string | null }>("SELECT label FROM ipam.interface WHERE segment = $1 ORDER BY mac", [segment])
  ).map(({ label }) => label);

test("a label is made of serial, machine or declaration, and is a host label whatever the text", () => {
  const device = { machine: "Rack 1/M_01", role: "host_bmc", label: "console", serial: "  S#1 " } as const;
  assert.deepEqual(
    (["address", "mac", "declared", "serial", "machine"] as const).map((naming) => labelOf(naming, device)),
    ["console", "console", "console", "s-1-bmc", "rack-1-m-01-bmc"],
  );
  assert.equal(labelOf("serial", { ...device, serial: null }), "console");
  assert.equal(labelOf("serial", undefined), undefined);
  assert.equal(slug("///"), undefined);
  assert.equal(slug("x".repeat(99), "-dpu-bmc")?.length, 63);
});

test("a serial that is taken gets a suffix and leaves an event; the allocation goes through", async () => {
  const outcomes = await store.commit(
    [HOST, BMC, TWIN, BARE, STRANGER].map((one, n) => bind(segment, one!, `10.30.0.${n + 10}`)),
    "daemon/dhcpd",
  );
  assert.ok(outcomes.every(({ is }) => is === "bound"));
  const seen = await labels();
  assert.deepEqual(seen, ["sn-0001-a", "sn-0001-a-bmc", "sn-0001-a-2", "m03", null]);
  const collisions = await sql(
    "SELECT key, \"row\"->>'given' AS given, actor FROM ipam.change_pending WHERE kind = 'collision'",
  );
  assert.deepEqual(collisions, [{ key: "sn-0001-a", given: "sn-0001-a-2", actor: "daemon/dhcpd" }]);
});

test("a change of a segment's naming renames its interfaces in the same edit", async () => {
  await store.updateSegment("named", { naming: "machine" }, "operator/test");
  assert.deepEqual(await labels(), ["m01", "m01-bmc", "m02", "m03", null]);
  await store.updateSegment("named", { naming: "declared" }, "operator/test");
  assert.deepEqual(await labels(), ["m01", "console-1", "m02", "m03", null]);
});

test("on a segment with declared names a stranger has no name", async () => {
  assert.deepEqual(await at("10-30-0-14.lab.test"), []);
  assert.deepEqual(await at("14.0.30.10.in-addr.arpa"), []);
  await store.updateSegment("named", { naming: "address" }, "operator/test");
  assert.deepEqual(await at("10-30-0-14.lab.test"), ["A 10.30.0.14"]);
});

test("a machine's host and BMC have names by the machine's name, beside their own", async () => {
  assert.deepEqual(await at("m01.adm.lab.test"), ["A 10.30.0.10"]);
  assert.deepEqual(await at("m01.bmc.lab.test"), ["A 10.30.0.11"]);
  assert.deepEqual(await at("console-1.lab.test"), ["A 10.30.0.11"]);
  assert.deepEqual(await at("11.0.30.10.in-addr.arpa"), ["PTR console-1.lab.test"]);
  for (const owner of ["m01.dpu.lab.test", "m09.adm.lab.test", "m01.adm.other.test", "m01.adm", "adm.lab.test"])
    assert.deepEqual(await at(owner), [], owner);
  const all = [...allRecords(await replica())].flat().map(({ owner }) => owner);
  assert.equal(all.filter((owner) => owner === dnsName("m01.adm.lab.test")).length, 1);
});

test("renaming a machine renames both its names", async () => {
  const memory = await replica();
  const [row] = memory.interfacesOf(BMC!);
  const change = { ...row!, machine: "m77", version: row!.version + 1 } satisfies Interface;
  memory.apply([
    {
      is: "row",
      position: 2,
      kind: "interface",
      key: String(row!.id),
      version: change.version,
      row: change,
      dns: true,
      at: 0,
      actor: "t",
    },
  ]);
  const affected = affectedBy(memory, [
    {
      is: "row",
      position: 2,
      kind: "interface",
      key: String(row!.id),
      version: change.version,
      row: change,
      before: row!,
      dns: true,
      at: 0,
      actor: "t",
    },
  ]);
  assert.ok(affected.is === "owners");
  for (const owner of ["m01.bmc.lab.test", "m77.bmc.lab.test"]) assert.ok(affected.owners.has(dnsName(owner)), owner);
});

test("a service is declared in the file once, below a domain of the site", async () => {
  const names = [
    { owner: "_ipmi._udp.lab.test", type: "SRV", data: "0 0 623 console-1.lab.test" },
    { owner: "Boot.lab.test.", type: "CNAME", data: "m02.lab.test", ttlSeconds: 30 },
  ];
  assert.deepEqual((await store.declare(file("address", { names }), "config")).changed, [
    "name _ipmi._udp.lab.test: SRV 0 0 623 console-1.lab.test",
    "name boot.lab.test: CNAME m02.lab.test",
  ]);
  assert.deepEqual((await store.declare(file("address", { names }), "config")).changed, []);
  assert.deepEqual(await at("boot.lab.test"), ["CNAME m02.lab.test"]);
  const elsewhere = [{ owner: "x.example.org", type: "A", data: "10.0.0.1" }];
  await assert.rejects(store.declare(file("address", { names: elsewhere }), "config"), /there is no domain above it/);
});
