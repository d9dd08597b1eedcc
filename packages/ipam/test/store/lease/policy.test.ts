import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ipamSchema, expectedMachinesSchema } from "../../../src/config.ts";
import { back, bind, ground, HOST, ip, said, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;

const NETS = { dynamic: "10.20.0", fixed: "10.20.1", retained: "10.20.2", preserved: "10.20.3" } as const;
const FILE = {
  ipam: ipamSchema.parse({
    domains: [{ name: "lab.test" }],
    segments: Object.entries(NETS).map(([policy, net]) => ({
      name: policy,
      domain: "lab.test",
      policy,
      prefixes: [{ prefix: `${net}.0/24` }],
    })),
    reservations: [{ segment: "fixed", address: "10.20.1.7", mac: "02:ff:00:00:00:01" }],
  }),
  expectedMachines: expectedMachinesSchema.parse([]),
};
const ids = Object.fromEntries((await store.declare(FILE, "config")).segments.map(({ name, id }) => [name, id]));

const OLD = stranger(1);
const OTHER = stranger(2);

const commit = async (...requests: Parameters<typeof store.commit>[0]): Promise<string[]> =>
  (await store.commit(requests, "t")).map(said);
const isOver = (segment: string): Promise<unknown> =>
  sql("UPDATE ipam.lease SET expires_at = now() - interval '2 days', reusable_at = now() WHERE segment = $1", [
    ids[segment],
  ]);

/** What becomes of an address that `OLD` had, once its time is over, once it is deleted, and once that has rested, too. */
const FATE = {
  dynamic: { over: "bound", deleted: "rests", rested: "bound" },
  fixed: { over: "reserved", deleted: "reserved", rested: "reserved" },
  retained: { over: "held", deleted: "rests", rested: "bound" },
  preserved: { over: "held", deleted: "reserved", rested: "reserved" },
} as const;
const SAID = {
  bound: /^bound /,
  rests: /^address-resting$/,
  held: /^address-bound-elsewhere$/,
  reserved: /^address-reserved$/,
} as const;

for (const policy of ["dynamic", "fixed", "retained", "preserved"] as const) {
  const address = `${NETS[policy]}.7`;
  const fate = FATE[policy];
  test(`${policy}: past its grace an address is ${fate.over}, its interface deleted it is ${fate.deleted}, then ${fate.rested}`, async () => {
    const segment = ids[policy]!;
    const other = async (): Promise<string> => (await commit(bind(segment, OTHER, address)))[0]!;
    assert.deepEqual(await commit(bind(segment, OLD, address)), [`bound ${address}`]);
    assert.match(await other(), fate.over === "reserved" ? SAID.reserved : SAID.held, "while promised, nobody's");
    await isOver(policy);
    if (fate.over !== "bound") assert.match(await other(), SAID[fate.over]);

    const { preserved } = await store.deleteInterface(policy, OLD, "operator/test");
    assert.deepEqual(preserved, policy === "preserved" ? [address] : []);
    assert.match(await other(), SAID[fate.deleted]);
    await isOver(policy);
    assert.match(await other(), SAID[fate.rested]);
    if (fate.rested === "reserved") assert.deepEqual(await commit(bind(segment, OLD, address)), [`bound ${address}`]);
    const [{ policy: now } = { policy: "" }] = await sql<{ policy: string }>(
      "SELECT policy FROM ipam.lease WHERE address = $1",
      [address],
    );
    assert.equal(now, policy);
  });
}

test("a fixed segment gives what is declared and nothing else", async () => {
  assert.deepEqual(await commit(bind(ids["fixed"]!, HOST, "10.20.1.9")), ["address-not-assignable"]);
});

test("a deleted interface may come back to its own address while it rests; a declined one rests for it, too", async () => {
  const segment = ids["dynamic"]!;
  await commit(bind(segment, stranger(10), "10.20.0.10"), bind(segment, stranger(11), "10.20.0.11"));
  await commit(back("decline", segment, stranger(11), "10.20.0.11"));
  for (const n of [10, 11]) await store.deleteInterface("dynamic", stranger(n), "operator/test");
  assert.deepEqual(await commit(bind(segment, stranger(10), "10.20.0.10"), bind(segment, stranger(11), "10.20.0.11")), [
    "bound 10.20.0.10",
    "address-resting",
  ]);
});

test("deleting an interface takes nothing from its promise: the rest begins when that ends", async () => {
  const segment = ids["dynamic"]!;
  await commit(bind(segment, stranger(12), "10.20.0.12", { leaseSeconds: 7200 }));
  await store.deleteInterface("dynamic", stranger(12), "operator/test");
  const [row] = await sql(
    "SELECT state, reusable_at > now() + interval '25 hours' AS later FROM ipam.lease WHERE address = '10.20.0.12'",
  );
  assert.deepEqual(row, { state: "released", later: true });
  await assert.rejects(store.deleteInterface("dynamic", stranger(12), "t"), /has no interface 02:ff:00:00:00:0c$/);
});

async function policyOf(address: string): Promise<string> {
  return (await sql<{ policy: string }>(`SELECT policy FROM ipam.lease WHERE address = '${address}'`))[0]!.policy;
}

test("an address that is declared no more goes on as its segment has it", async () => {
  const segment = ids["dynamic"]!;
  await store.putReservation({ segment: "dynamic", address: ip("10.20.0.13"), identity: "mac 02:ff:00:00:00:0d" }, "t");
  await commit(bind(segment, stranger(13), "10.20.0.13"));
  assert.equal(await policyOf("10.20.0.13"), "fixed");
  await store.deleteReservation("dynamic", ip("10.20.0.13"), "t");
  assert.equal(await policyOf("10.20.0.13"), "dynamic");
  const device = { mac: stranger(13), machine: "m13", role: "host", label: "m13" } as const;
  await store.expect([{ ...device, address: ip("10.20.0.13") }], "t");
  await commit(bind(segment, stranger(13), "10.20.0.13"));
  assert.equal(await policyOf("10.20.0.13"), "fixed");
  await store.expect([device], "t");
  assert.equal(await policyOf("10.20.0.13"), "dynamic");
});

test("a segment's new policy holds for what it gave before", async () => {
  const segment = ids["retained"]!;
  await commit(bind(segment, stranger(20), "10.20.2.20"));
  await store.updateSegment("retained", { policy: "dynamic" }, "operator/test");
  await isOver("retained");
  assert.deepEqual(await commit(bind(segment, stranger(21), "10.20.2.20")), ["bound 10.20.2.20"]);
  await store.updateSegment("retained", { policy: "retained" }, "operator/test");
  await isOver("retained");
  assert.deepEqual(await commit(bind(segment, stranger(22), "10.20.2.20")), ["address-bound-elsewhere"]);
});

test("what rests or is reserved in a segment keeps it from being deleted, with the reason", async () => {
  await assert.rejects(store.deleteSegment("preserved", "t"), /in use by 10\.20\.3\.7/);
  await sql("UPDATE ipam.lease SET policy = 'dynamic', state = 'released', reusable_at = now() WHERE segment = $1", [
    ids["preserved"],
  ]);
  await assert.rejects(
    store.deleteSegment("preserved", "t"),
    /^Error: segment preserved: in use by 10\.20\.3\.7 \(reserved for mac 02:ff:00:00:00:01\)$/,
  );
  await store.deleteReservation("preserved", ip("10.20.3.7"), "t");
  await store.deleteSegment("preserved", "t");
});
