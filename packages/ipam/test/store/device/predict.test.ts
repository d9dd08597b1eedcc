/** Interfaces that are there before anybody has seen them. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatMac } from "@firstlight/wire";
import { nameText } from "@firstlight/wire/dns";
import { dataText, ManualClock } from "@firstlight/kit";
import { expectedMachinesSchema } from "../../../src/config.ts";
import { Memory } from "../../../src/replica/memory/memory.ts";
import { Tables } from "../../../src/replica/memory/tables.ts";
import type { Row } from "../../../src/model/model.ts";
import { allRecords } from "../../../src/names/records.ts";
import type { DeviceEdit } from "../../../src/store/store.ts";
import { type Json, rowFrom, TABLES } from "../../../src/database/rows.ts";
import { back, BMC, bind, ground, ip, mac, said, SITE } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;
const [open, held] = [site.segments["open"]!, site.segments["held"]!];

const device = (n: number, more: Partial<DeviceEdit> = {}): DeviceEdit => ({
  mac: mac("02:00:00:00:0e:00") + n,
  machine: `p${n}`,
  role: "host",
  label: `p${n}`,
  ...more,
});
const placesOf = (n: number): Promise<Record<string, unknown>[]> =>
  sql(
    `SELECT i.id, s.name AS segment, i.state, i.label, i.machine, i.role FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment
     WHERE i.mac = $1 ORDER BY i.id`,
    [formatMac(device(n).mac)],
  );
const tell = (): Promise<Record<string, unknown>[]> =>
  sql(
    `SELECT "row" ->> 'is' AS is, "row" ->> 'segment' AS segment, "row" ->> 'from' AS "from" FROM ipam.change_pending
     WHERE kind = 'arrival' ORDER BY version`,
  );

test("a device expected on a segment has its interface there, with role, label and machine, and no name", async () => {
  await store.expect([device(1, { segment: "open", role: "host_bmc" })], "operator/test");
  const [{ id, ...place } = {}] = await placesOf(1);
  assert.deepEqual(place, { segment: "open", state: "predicted", label: "p1", machine: "p1", role: "host_bmc" });
  const [change] = await sql(
    "SELECT actor, \"row\" ->> 'state' AS state FROM ipam.change_pending WHERE kind = 'interface' AND key = $1",
    [String(id)],
  );
  assert.deepEqual(change, { actor: "operator/test", state: "predicted" });
  assert.equal((await store.lookup(device(1).mac)).interfaces[0]?.state, "predicted");
  assert.deepEqual(await names(), []);
});

test("its first lease makes it true: the same interface, with its name, and an event", async () => {
  const [before] = await placesOf(1);
  const [outcome] = await store.commit([bind(open, device(1).mac, "10.0.0.40")], "daemon/dhcpd");
  assert.ok(outcome?.is === "bound");
  const { id, state, label } = outcome.interface;
  assert.deepEqual({ id, state, label }, { id: before!["id"], state: undefined, label: "p1" });
  assert.deepEqual(await names(), ["p1.lab.test A 10.0.0.40"]);
  assert.deepEqual(await tell(), [{ is: "promoted", segment: "open", from: null }]);
  await store.commit([bind(open, device(1).mac, "10.0.0.40")], "daemon/dhcpd");
  assert.equal((await tell()).length, 1, "a renewal is no news");
  assert.deepEqual(await sql("SELECT FROM ipam.change_pending WHERE kind = 'collision'"), []);
});

test("what a daemon of an older schema gave to a prediction comes true at its next renewal here", async () => {
  await store.expect([device(9, { segment: "open" })], "t");
  await sql(
    `INSERT INTO ipam.lease (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at)
     SELECT 'default', '10.0.0.49', segment, id, mac, 'dynamic', 'bound', now(), now() + interval '1 h', now() + interval '25 h'
     FROM ipam.interface WHERE mac = $1`,
    [formatMac(device(9).mac)],
  );
  await store.commit([bind(open, device(9).mac, "10.0.0.49")], "t");
  assert.deepEqual(
    (await placesOf(9)).map(({ state, label }) => [state, label]),
    [[null, "p9"]],
  );
});

test("a bind that is refused makes nothing true", async () => {
  await store.expect([device(2, { segment: "open" })], "t");
  const [refused] = await store.commit([bind(open, device(2).mac, "10.0.0.1")], "t");
  assert.equal(said(refused), "address-not-assignable");
  assert.equal((await placesOf(2))[0]?.["state"], "predicted");
  const [given] = await store.commit([back("release", open, device(2).mac, "10.0.0.40")], "t");
  assert.equal(said(given), "no-such-lease");
});

test("a declared address says where its device is to appear", async () => {
  assert.deepEqual(
    await sql("SELECT s.name, i.state FROM ipam.interface i JOIN ipam.segment s ON s.id = i.segment WHERE mac = $1", [
      formatMac(BMC),
    ]),
    [{ name: "declared", state: "predicted" }],
  );
});

test("a device that was foretold for another place takes its label from there", async () => {
  await store.expect([device(3, { segment: "held" })], "t");
  await store.commit([bind(open, device(3).mac, "10.0.0.43")], "t");
  assert.deepEqual(
    (await placesOf(3)).map(({ segment, state, label }) => [segment, state, label]),
    [
      ["held", "away", null],
      ["open", null, "p3"],
    ],
  );
  assert.deepEqual((await tell()).at(-1), { is: "promoted", segment: "open", from: "held" });
});

test("a prediction follows its declaration, and goes with it; what was seen stays", async () => {
  await store.expect([device(4, { segment: "held" }), device(5, { segment: "held" })], "t");
  await store.expect([device(4, { segment: "open" })], "t");
  assert.deepEqual(
    (await placesOf(4)).map(({ segment }) => segment),
    ["open"],
  );
  await store.commit([bind(held, device(5).mac, "10.0.2.45")], "t");
  await store.unexpect([device(4).mac, device(5).mac], "operator/test");
  assert.deepEqual(await placesOf(4), []);
  assert.deepEqual(
    (await placesOf(5)).map(({ state, label, machine }) => [state, label, machine]),
    [[null, null, null]],
  );
  const [gone] = await sql(
    "SELECT count(*)::int AS n FROM ipam.change_pending WHERE kind = 'expected' AND \"row\" IS NULL",
  );
  assert.deepEqual(gone, { n: 2 });
  await assert.rejects(store.unexpect([device(4).mac], "t"), /^Error: device 02:00:00:00:0e:04 is not expected$/);
});

test("a place that nobody knows is refused, and no interface is made of a device without one", async () => {
  await assert.rejects(
    store.expect([device(6, { segment: "nowhere" })], "t"),
    /^Error: expected device 02:00:00:00:0e:06: there is no segment nowhere$/,
  );
  await store.expect([device(6)], "t");
  assert.deepEqual(await placesOf(6), []);
});

test("a segment that devices are awaited on is not deleted; one that comes later is where they are predicted", async () => {
  await store.expect([device(10, { address: ip("10.9.9.9") }), device(11, { segment: "held" })], "t");
  await assert.rejects(
    store.deleteSegment("held", "t"),
    /^Error: segment held: (in use by|expected device 02:00:00:00:0e:03 is to appear there)/,
  );
  assert.deepEqual(await placesOf(10), []);
  const [later] = SITE.ipam.segments;
  const file = {
    ipam: {
      ...SITE.ipam,
      segments: [
        {
          ...later!,
          name: "later",
          prefixes: [{ ...later!.prefixes[0]!, prefix: "10.9.9.0/24", gateway: "10.9.9.1", excluded: [] }],
        },
      ],
    },
    expectedMachines: [],
  };
  await store.declare(file, "config");
  await store.expect([device(10, { address: ip("10.9.9.9") })], "t");
  assert.deepEqual(
    (await placesOf(10)).map(({ segment, state, label }) => [segment, state, label]),
    [["later", "predicted", "p10"]],
  );
});

test("the site's file predicts, too, and says it once", async () => {
  const file = {
    ipam: SITE.ipam,
    expectedMachines: expectedMachinesSchema.parse([
      { name: "f1", interfaces: [{ mac: "02:00:00:00:0e:07", role: "host", segment: "held" }] },
    ]),
  };
  assert.deepEqual((await store.declare(file, "config")).changed, ["expected device 02:00:00:00:0e:07 (f1): created"]);
  assert.deepEqual((await store.declare(file, "config")).changed, []);
  assert.deepEqual(
    (await placesOf(7)).map(({ segment, state }) => [segment, state]),
    [["held", "predicted"]],
  );
});

test("who was seen before is not foretold", async () => {
  await store.commit([bind(open, device(8).mac, "10.0.0.48")], "t");
  await store.expect([device(8, { segment: "held", address: ip("10.0.2.48") })], "t");
  assert.deepEqual(
    (await placesOf(8)).map(({ segment, state, label }) => [segment, state, label]),
    [["open", null, "p8"]],
  );
});

/** Every forward name that DNS has now. */
async function names(): Promise<string[]> {
  const memory = new Memory(new ManualClock());
  const tables = new Tables();
  for (const [kind, table] of Object.entries(TABLES))
    for (const { row } of await sql<{ row: Json }>(`SELECT to_jsonb(t) AS "row" FROM ${table} t`))
      tables.put(rowFrom(kind as Row["kind"], row));
  memory.swap(tables, { epoch: "e", position: 1 }, 1);
  const all = [...allRecords(memory)].flat();
  return all
    .filter(({ owner, type }) => type === "A" && nameText(owner).startsWith("p1.lab"))
    .map(({ owner, type, data }) => `${nameText(owner)} ${type} ${dataText(data)}`);
}
