/** Where the replica's allocator, the lease batch and the statements once differed: one test for each rule. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ipamSchema } from "../../src/config.ts";
import { systemClock } from "@firstlight/service";
import { formatAddress, formatMac } from "@firstlight/wire";
import { createReplica } from "../../src/feed/follower.ts";
import type { Proof } from "../../src/model/identity.ts";
import type { Replica } from "../../src/replica/replica.ts";
import { PgSource } from "../../src/feed/postgres.ts";
import { bind, ground, ip, said, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const { sql, store } = site;
const source = parts.use(new PgSource({ url: site.url, name: "differences" }));
site.sequencer();

const NAMES = ["claimed", "role", "draining", "expected", "refusing", "new", "reserving", "reserved-elsewhere"];
const { segments } = await store.declare(
  {
    ipam: ipamSchema.parse({
      domains: [{ name: "lab.test" }],
      segments: NAMES.map((name, n) => ({
        name,
        domain: "lab.test",
        policy: ["claimed", "role"].includes(name) ? "retained" : "dynamic",
        ...(name === "expected" && { admission: "expected" }),
        ...(name === "refusing" && { rehome: "refuse" }),
        prefixes: [{ prefix: `10.70.${n}.0/28` }, { prefix: `10.71.${n}.0/28` }],
      })),
    }),
    expectedMachines: [],
  },
  "config",
);
const idOf = (name: string): number => segments.find((one) => one.name === name)!.id;
const commit = async (...batch: Parameters<typeof store.commit>[0]): Promise<string[]> =>
  (await store.commit(batch, "test")).map(said);

/** The address that a new replica offers, or why it offers none. */
async function offered(name: string, mac: number, proof?: Proof): Promise<string> {
  await site.drained();
  await using following = await createReplica(source, systemClock, { pollMs: 50 });
  const replica: Replica = following.replica;
  const offer = replica.candidate(replica.segment(idOf(name))!, mac, undefined, undefined, proof);
  return offer.is === "none" ? offer.because : formatAddress(offer.address);
}

const pools = (net: string, first: number, role: string): Promise<unknown> =>
  sql("UPDATE ipam.prefix SET pools = $2 WHERE prefix = $1::cidr", [
    `${net}.0/28`,
    JSON.stringify([{ first: `${net}.${first}`, last: `${net}.${first + 1}`, roles: [role] }]),
  ]);
const expectDevice = (mac: number, role: string, address: string | null): Promise<unknown> =>
  sql("INSERT INTO ipam.expected_device (mac, machine, role, label, address) VALUES ($1, 'm', $2, $3, $4)", [
    formatMac(mac),
    role,
    `d${mac}`,
    address,
  ]);

test("a kept address that is declared for another device does not keep its holder from a new one", async () => {
  assert.deepEqual(await commit(bind(idOf("claimed"), stranger(1), "10.70.0.5")), ["bound 10.70.0.5"]);
  await expectDevice(stranger(2), "host", "10.70.0.5");
  const offer = await offered("claimed", stranger(1));
  assert.notEqual(offer, "10.70.0.5");
  assert.deepEqual(await commit(bind(idOf("claimed"), stranger(1), offer)), [`bound ${offer}`]);
});

test("a kept address outside the pool of the expected role does not keep its holder from a new one", async () => {
  assert.deepEqual(await commit(bind(idOf("role"), stranger(3), "10.70.1.5")), ["bound 10.70.1.5"]);
  await pools("10.70.1", 8, "host_bmc");
  await expectDevice(stranger(3), "host_bmc", null);
  const offer = await offered("role", stranger(3));
  assert.match(offer, /^10\.70\.1\.[89]$/);
  assert.deepEqual(await commit(bind(idOf("role"), stranger(3), offer)), [`bound ${offer}`]);
});

test("while another prefix drains, a held address outside its role's pool is not offered", async () => {
  const segment = idOf("draining");
  assert.deepEqual(await commit(bind(segment, stranger(4), "10.70.2.5")), ["bound 10.70.2.5"]);
  await sql("UPDATE ipam.prefix SET state = 'draining', drain_by = now() WHERE prefix = '10.71.2.0/28'");
  await pools("10.70.2", 8, "other");
  const others = [8, 9].map((n) => bind(segment, stranger(40 + n), `10.70.2.${n}`));
  assert.deepEqual(await commit(...others), ["bound 10.70.2.8", "bound 10.70.2.9"]);
  assert.equal(await offered("draining", stranger(4)), "pool-full");
  assert.deepEqual(await commit(bind(segment, stranger(4), "10.70.2.5")), ["address-not-in-pool"]);
});

test("a device known by a reservation alone is offered nothing else where devices have to be expected", async () => {
  const clientId = Uint8Array.of(9);
  const segment = idOf("expected");
  await sql(
    "INSERT INTO ipam.reservation (segment, vrf, address, identity, origin) VALUES ($1, 'default', '10.70.3.5', 'client-id 09', 'declared')",
    [segment],
  );
  assert.equal(await offered("expected", stranger(5), { clientId }), "10.70.3.5");
  assert.deepEqual(await commit(bind(segment, stranger(5), "10.70.3.5", { clientId })), ["bound 10.70.3.5"]);
  assert.equal(await offered("expected", stranger(6), { clientId }), "device-not-expected");
  assert.deepEqual(await commit(bind(segment, stranger(6), "10.70.3.6", { clientId })), ["device-not-expected"]);
});

test("a predicted interface with a running lease holds its device on a segment that refuses moves", async () => {
  assert.deepEqual(await commit(bind(idOf("refusing"), stranger(7), "10.70.4.5")), ["bound 10.70.4.5"]);
  await sql("UPDATE ipam.interface SET state = 'predicted' WHERE mac = $1", [formatMac(stranger(7))]);
  assert.equal(await offered("new", stranger(7)), "device-on-another-segment");
  const asked = bind(idOf("new"), stranger(7), "10.70.5.5");
  assert.deepEqual(await commit(asked), ["device-on-another-segment"]);
});

test("a reservation made on another segment does not promise an address of this one", async () => {
  await sql(
    "INSERT INTO ipam.reservation (segment, vrf, address, identity, origin) VALUES ($1, 'default', '10.70.7.5', $2, 'declared')",
    [idOf("reserving"), `mac ${formatMac(stranger(8))}`],
  );
  const asked = bind(idOf("reserved-elsewhere"), stranger(8), "10.70.7.5");
  assert.equal(asked.address, ip("10.70.7.5"));
  assert.deepEqual(await commit(asked), ["address-reserved"]);
});
