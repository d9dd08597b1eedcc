/** Leases of ISC dhcpd and Kea, as their files have them, and how they come to be ours. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test, { after } from "node:test";
import { formatAddress } from "@firstlight/wire";
import * as fc from "fast-check";
import { Pool } from "pg";
import {
  createExchange,
  type FoundLease,
  iscLeases,
  keaLeases,
  keaRows,
  type LeaseImport,
} from "../src/exchange/index.ts";
import { bind, ground, ip, mac, stranger } from "./ground.ts";

const vector = (name: string): string => readFileSync(join(import.meta.dirname, "leases", name), "latin1");
const NOW = Date.UTC(2026, 10, 21, 8, 0, 0);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("latin1");

test("of a lease file of dhcpd the last entry of an address holds, and only what is active", () => {
  const { leases, passed, faults } = iscLeases(vector("dhcpd.leases"), NOW);
  assert.deepEqual(
    leases.map(({ address, mac, expiresAt }) => [address, mac, new Date(expiresAt).toISOString()]),
    [
      ["10.9.0.20", "02:aa:00:00:00:20", "2026-11-21T09:30:00.000Z"],
      ["10.9.0.21", "02:aa:00:00:00:21", "2026-11-21T09:00:00.000Z"],
      ["10.9.0.26", "02:aa:00:00:00:26", "9999-12-31T23:59:59.000Z"],
    ],
  );
  assert.deepEqual(Object.fromEntries(passed), {
    "binding state free": 1,
    "binding state abandoned": 1,
    "binding state backup": 1,
    "no Ethernet address": 1,
    expired: 1,
    "of DHCPv6": 1,
  });
  assert.deepEqual(faults, [{ row: 110, because: "the last entry is cut off: left out" }]);
});

test("dhcpd's strings are bytes: octal, escapes, a newline in the middle; hex between colons is the same", () => {
  const [first, second] = iscLeases(vector("dhcpd.leases"), NOW).leases;
  assert.equal(hex(first?.clientId), "0102aa0000002022");
  assert.equal(text(first?.circuitId), 'eth0/1;{"a\nb\\c"}');
  assert.equal(hex(second?.circuitId), "0004000a0102");
  assert.equal(text(second?.remoteId), "sw7");
});

test("of Kea's files the last line of an address holds, over what the clean-up left too", () => {
  const { leases, passed, faults } = keaLeases([vector("kea-leases4.csv.2"), vector("kea-leases4.csv")], NOW);
  assert.deepEqual(
    leases.map(({ address, mac, expiresAt }) => [address, mac, expiresAt / 1000]),
    [
      ["10.9.0.31", "02:bb:00:00:00:31", 1795260000],
      ["10.9.0.30", "02:bb:00:00:00:30", 1795254600],
      ["10.9.0.37", "02:bb:00:00:00:37", 253402300799],
    ],
  );
  assert.deepEqual(
    [hex(leases[0]?.clientId), text(leases[0]?.circuitId), hex(leases[0]?.remoteId)],
    ["0102bb00000031", "eth0", "02cc00000001"],
  );
  assert.deepEqual([leases[1]?.clientId, text(leases[1]?.circuitId)], [undefined, "a,b"]);
  assert.deepEqual(Object.fromEntries(passed), {
    declined: 1,
    "expired and reclaimed": 1,
    deleted: 1,
    "no Ethernet address": 1,
  });
  assert.deepEqual(faults, [{ row: 9, because: "no lease: left out" }]);
});

test("rows of Kea's table are its lines in another form", () => {
  const row = {
    hwaddr: "02bb00000030",
    clientId: "01aa",
    validSeconds: 3600,
    expire: 1795260000,
    state: 0,
    userContext: "",
  };
  const { leases } = keaRows([{ ...row, address: "10.9.0.30" }], NOW);
  assert.deepEqual(leases, [
    { address: "10.9.0.30", mac: "02:bb:00:00:00:30", expiresAt: 1795260000000, clientId: Uint8Array.of(1, 0xaa) },
  ]);
});

test("any text is leases, reasons and faults", () => {
  const piece = fc.constantFrom(
    "lease ",
    "10.0.0.1 ",
    "{",
    "}",
    ";",
    '"',
    "\\",
    "\n",
    "binding state active",
    "hardware ethernet ",
    "02:aa:00:00:00:01",
    "ends never",
    "uid ",
    "#",
    ",",
    "0x",
    "expire",
    '{"ISC":{"relay-agent-info":"0x01"}}',
  );
  const any = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(piece, { maxLength: 60 }).map((all) => all.join("")),
  );
  const head =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";
  fc.assert(
    fc.property(any, (text) => {
      for (const found of [iscLeases(text, 0), keaLeases([text], 0), keaLeases([head + text], 0)])
        assert.ok(found.leases.every(({ expiresAt }) => expiresAt > 0));
    }),
    { numRuns: 60 },
  );
});

const site = await ground();
const pool = new Pool({ connectionString: site.url, max: 2 });
const exchange = createExchange(pool);
after(async () => {
  exchange.close();
  await pool.end();
  await site[Symbol.asyncDispose]();
});

const lease = (address: string, n: number, seconds: number): FoundLease => ({
  address,
  mac: `02:dd:00:00:00:${n.toString(16).padStart(2, "0")}`,
  expiresAt: Date.now() + seconds * 1000,
});

async function take(leases: readonly FoundLease[], more: Partial<LeaseImport> = {}): Promise<string[]> {
  const asked = { leases, vrf: "default", segment: "", isDryRun: false, ...more };
  const outcomes = await exchange.importLeases(asked, "operator/ada");
  return outcomes.map(({ address, is, because }) => `${address} ${is}${because && `: ${because}`}`);
}

test("a promise goes on under us to its own end, and a second import changes nothing", async () => {
  const mine = [lease("10.0.0.40", 1, 5_000), lease("10.0.4.40", 1, 7_000)];
  assert.deepEqual(await take(mine, { isDryRun: true }), ["10.0.0.40 bound", "10.0.4.40 bound"]);
  assert.deepEqual(await site.sql("SELECT FROM ipam.lease"), []);
  assert.deepEqual(await take(mine), ["10.0.0.40 bound", "10.0.4.40 bound"]);
  const rows = await site.sql<{ at: number }>(
    "SELECT extract(epoch FROM expires_at)::float8 * 1000 AS at FROM ipam.lease ORDER BY address",
  );
  for (const [n, { at }] of rows.entries()) assert.ok(at >= mine[n]!.expiresAt && at < mine[n]!.expiresAt + 1_001);
  const kept = ": promised at least as long already";
  assert.deepEqual(await take(mine), [`10.0.0.40 kept${kept}`, `10.0.4.40 kept${kept}`]);
  assert.deepEqual(await site.sql("SELECT DISTINCT actor FROM ipam.change_pending WHERE kind = 'lease'"), [
    { actor: "operator/ada" },
  ]);
});

test("an import takes nothing from anybody, not even for a port, and moves nobody", async () => {
  await site.store.commit([bind(site.segments["open"]!, stranger(1), "10.0.0.50")], "daemon/dhcpd");
  await site.store.putReservation({ segment: "open", address: ip("10.0.0.51"), identity: "port 10.0.0.1/0102" }, "ada");
  await site.store.commit([bind(site.segments["open"]!, stranger(2), "10.0.0.52")], "daemon/dhcpd");
  const other = { ...lease("10.0.0.53", 0, 600), mac: "02:ff:00:00:00:02" };
  const port = { ...lease("10.0.0.51", 9, 600), circuitId: Uint8Array.of(1, 2) };
  assert.deepEqual(
    await take([lease("10.0.0.50", 2, 600), other, lease("10.0.0.1", 3, 600), lease("10.77.0.1", 4, 600)]),
    [
      "10.0.0.50 refused: address is bound to 02:ff:00:00:00:01",
      "10.0.0.53 refused: the client has 10.0.0.52 here",
      "10.0.0.1 refused: address is not assignable in this segment",
      "10.77.0.1 refused: no prefix holds the address",
    ],
  );
  assert.deepEqual(await take([port]), ["10.0.0.51 refused: address is reserved for another"]);
  assert.deepEqual(await take([port], { relay: ip("10.0.0.1") }), ["10.0.0.51 bound"]);
  const thief = { ...lease("10.0.0.51", 10, 600), circuitId: Uint8Array.of(1, 2) };
  assert.deepEqual(await take([thief], { relay: ip("10.0.0.1") }), [
    "10.0.0.51 refused: address is bound to 02:dd:00:00:00:09",
  ]);
});

test("a site is cut over relay by relay: what lies elsewhere is left out", async () => {
  const both = [lease("10.0.0.60", 20, 600), lease("10.0.2.60", 21, 600)];
  assert.deepEqual(await take(both, { relay: ip("10.0.2.1") }), [
    "10.0.0.60 passed: not behind this relay",
    "10.0.2.60 bound",
  ]);
  const [row] = await site.sql<{ giaddr: string }>(
    "SELECT host(giaddr) AS giaddr FROM ipam.lease WHERE address = '10.0.2.60'",
  );
  assert.equal(row?.giaddr, "10.0.2.1");
  assert.deepEqual((await take(both, { segment: "open" }))[0], "10.0.0.60 bound");
  await assert.rejects(take(both, { relay: ip("10.99.0.1") }), /no prefix of vrf default holds relay 10\.99\.0\.1/);
});

test("of two leases of one client the first, the newer, is taken; one that ended is left out", async () => {
  const twice = [lease("10.0.0.70", 30, 600), lease("10.0.0.71", 30, 900), lease("10.0.0.72", 31, -5)];
  assert.deepEqual(await take(twice), [
    "10.0.0.70 bound",
    "10.0.0.71 refused: the client has a newer lease here",
    "10.0.0.72 passed: expired",
  ]);
});

test("a client that was taken over renews as if we had always been there", async () => {
  await take([lease("10.0.0.80", 40, 30)]);
  const [outcome] = await site.store.commit(
    [bind(site.segments["open"]!, mac("02:dd:00:00:00:28"), "10.0.0.80")],
    "daemon/dhcpd",
  );
  assert.ok(outcome?.is === "bound" && formatAddress(outcome.lease.address) === "10.0.0.80");
});

/** Written by the real servers, with the same eight relayed clients before them. */
const REAL = [
  ["ISC dhcpd 4.4", iscLeases(vector("dhcpd-4.4.leases"), NOW), "0004000a0102"],
  ["Kea 2.2", keaLeases([vector("kea-2.2.csv")], NOW), "65746830"],
] as const;
for (const [server, found, circuit] of REAL)
  test(`what ${server} itself wrote is read in full`, () => {
    const { leases, passed, faults } = found;
    assert.deepEqual([passed.size, faults], [0, []]);
    assert.deepEqual(
      leases.map(({ address, mac }) => `${address} ${mac}`).toSorted(),
      Array.from({ length: 8 }, (_, n) => `10.0.0.${20 + n} 00:0c:01:02:03:${(4 + n).toString(16).padStart(2, "0")}`),
    );
    for (const { mac, clientId, circuitId, expiresAt } of leases) {
      assert.deepEqual([hex(clientId), hex(circuitId)], [`01${mac.replaceAll(":", "")}`, circuit]);
      assert.ok(expiresAt > NOW + 3_600_000 && expiresAt < NOW + 3 * 3_600_000);
    }
  });
