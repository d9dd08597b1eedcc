import assert from "node:assert/strict";
import test, { after } from "node:test";
import { ManualClock } from "@firstlight/kit";
import { formatAddress, formatMac } from "@firstlight/wire";
import { ipamSchema, expectedMachinesSchema } from "../../../src/config.ts";
import type { Proof } from "../../../src/model/identity.ts";
import { Memory } from "../../../src/replica/memory/memory.ts";
import { Tables } from "../../../src/replica/memory/tables.ts";
import type { Row } from "../../../src/model/model.ts";
import { Refused } from "../../../src/store/store.ts";
import { rowFrom, TABLES, type Json } from "../../../src/database/rows.ts";
import { bind, ground, ip, said, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, segments, sql } = site;
const open = segments["open"]!;

const text = (word: string): Uint8Array => Buffer.from(word);
const port = (circuit: string, remote?: string): Proof => ({
  relay: { giaddr: ip("10.0.0.1"), circuitId: text(circuit), ...(remote && { remoteId: text(remote) }) },
});
const commit = async (n: number, address: string, proof: Proof = {}): Promise<string> => {
  const { clientId, uuid, relay } = proof;
  const more = { ...(clientId && { clientId }), ...(uuid && { uuid }), ...(relay && { relay }) };
  return said((await store.commit([bind(open, stranger(n), address, more)], "t"))[0]);
};

/** A replica of the database as it is now. */
async function replica(): Promise<Memory> {
  const [{ now } = { now: 0 }] = await sql<{ now: number }>("SELECT (extract(epoch FROM now()) * 1000)::float8 AS now");
  const memory = new Memory(new ManualClock(now));
  const tables = new Tables();
  for (const [kind, table] of Object.entries(TABLES))
    for (const { row } of await sql<{ row: Json }>(`SELECT to_jsonb(t) AS "row" FROM ${table} t`))
      tables.put(rowFrom(kind as Row["kind"], row));
  memory.swap(tables, { epoch: "e", position: 1 }, 1);
  memory.observe(now);
  return memory;
}
async function offer(n: number, proof: Proof): Promise<string> {
  const memory = await replica();
  const candidate = memory.candidate(memory.segment(open)!, stranger(n), undefined, undefined, proof);
  return candidate.is === "candidate" ? formatAddress(candidate.address) : candidate.because;
}

test("the address follows the switch port: the machine plugged in there gets it, whoever held it is refused", async () => {
  const edit = { segment: "open", address: ip("10.0.0.50"), identity: "port 10.0.0.1/457468312f33" };
  await store.putReservation(edit, "operator/test");
  assert.equal(await offer(1, port("Eth1/3")), "10.0.0.50");
  assert.notEqual(await offer(1, port("Eth1/4")), "10.0.0.50");
  assert.equal(await commit(1, "10.0.0.50", port("Eth1/4")), "address-reserved");
  assert.equal(await commit(1, "10.0.0.50", port("Eth1/3")), "bound 10.0.0.50");

  assert.equal(await offer(2, port("Eth1/3", "switch-7")), "10.0.0.50", "at once, though a lease runs on it");
  assert.equal(await commit(2, "10.0.0.50", port("Eth1/3", "switch-7")), "bound 10.0.0.50");
  const [row] = await sql("SELECT mac::text, policy, state FROM ipam.lease WHERE address = '10.0.0.50'");
  assert.deepEqual(row, { mac: formatMac(stranger(2)), policy: "fixed", state: "bound" });
  assert.equal(await commit(1, "10.0.0.50", port("Eth1/9")), "address-reserved", "the renewal");
  assert.notEqual(await offer(1, port("Eth1/9")), "10.0.0.50");
});

test("a machine that holds another address moves to its port's, and the other goes to rest", async () => {
  assert.equal(await commit(3, "10.0.0.60"), "bound 10.0.0.60");
  const edit = { segment: "open", address: ip("10.0.0.51"), identity: "port 10.0.0.1/457468312f34/72" };
  await store.putReservation(edit, "operator/test");
  assert.equal(await offer(3, port("Eth1/4", "q")), "10.0.0.60", "another remote-id is another port");
  assert.equal(await offer(3, port("Eth1/4", "r")), "10.0.0.51");
  assert.equal(await commit(3, "10.0.0.51", port("Eth1/4", "r")), "bound 10.0.0.51");
  assert.equal(await commit(4, "10.0.0.60"), "address-resting");
});

test("a UUID or a client-id has its address, and nobody else gets it", async () => {
  const uuid = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  await store.putReservation(
    { segment: "open", address: ip("10.0.0.52"), identity: `uuid ${uuid.toString("hex")}` },
    "operator/test",
  );
  await store.putReservation(
    { segment: "open", address: ip("10.0.0.53"), identity: "client-id 01ff" },
    "operator/test",
  );
  const option97 = { uuid: Buffer.concat([Buffer.of(0), uuid]) };
  const option61 = { clientId: Buffer.of(1, 255) };
  assert.equal(await offer(5, option97), "10.0.0.52");
  assert.equal(await offer(6, option61), "10.0.0.53");
  assert.equal(await commit(6, "10.0.0.52", option61), "address-reserved");
  assert.equal(await commit(5, "10.0.0.52", option97), "bound 10.0.0.52");
  assert.equal(await commit(6, "10.0.0.53", option61), "bound 10.0.0.53");
});

test("a declined address rests even for its port: somebody unknown uses it", async () => {
  const here = port("Eth1/5");
  await store.putReservation(
    { segment: "open", address: ip("10.0.0.54"), identity: "port 10.0.0.1/457468312f35" },
    "operator/test",
  );
  await commit(7, "10.0.0.54", here);
  await store.commit([{ do: "decline", segment: open, identity: stranger(7), address: ip("10.0.0.54") }], "t");
  assert.notEqual(await offer(7, here), "10.0.0.54");
  assert.equal(await commit(8, "10.0.0.54", here), "address-resting");
});

test("what cannot be reserved is refused with its reason; the same again changes nothing", async () => {
  const refused = (address: string, identity: string, because: RegExp): Promise<void> =>
    assert.rejects(store.putReservation({ segment: "open", address: ip(address), identity }, "t"), (error: Error) => {
      assert.ok(error instanceof Refused, error.stack);
      assert.match(error.message, because);
      return true;
    });
  await refused(
    "10.0.0.1",
    "mac 02:ff:00:00:00:01",
    /^segment open: address 10\.0\.0\.1 is not one the segment may give$/,
  );
  await refused("10.0.0.50", "mac 02:ff:00:00:00:09", /is reserved for port 10\.0\.0\.1\/457468312f33$/);
  await commit(9, "10.0.0.70");
  await refused("10.0.0.70", "mac 02:ff:00:00:00:01", /is held by 02:ff:00:00:00:09$/);
  const declared = {
    ipam: ipamSchema.parse({
      reservations: [
        { segment: "open", address: "10.0.0.80", port: { relay: "10.0.0.1", circuitId: "Eth1/8", remoteId: "0x00ff" } },
        { segment: "open", address: "10.0.0.81", uuid: "00010203-0405-0607-0809-0a0b0c0d0e0f" },
      ],
    }),
    expectedMachines: expectedMachinesSchema.parse([]),
  };
  assert.deepEqual((await store.declare(declared, "config")).changed, [
    "segment open: 10.0.0.80 is reserved for port 10.0.0.1/457468312f38/00ff",
    "segment open: 10.0.0.81 is reserved for uuid 000102030405060708090a0b0c0d0e0f",
  ]);
  assert.deepEqual((await store.declare(declared, "config")).changed, []);
  assert.equal((await sql("SELECT FROM ipam.reservation WHERE address = '10.0.0.52'")).length, 0, "it moved to .81");
  const two = ipamSchema.safeParse({
    reservations: [{ segment: "open", address: "10.0.0.1", mac: "02:00:00:00:00:01", clientId: "x" }],
  });
  assert.match(two.error!.issues[0]!.message, /want one of mac, uuid, clientId and port/);
});
