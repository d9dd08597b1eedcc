/** How leases of other servers come to be ours. */
import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { formatAddress } from "@firstlight/wire";
import { createExchange, type FoundLease, type LeaseImport } from "../../src/exchange/index.ts";
import { bind, ground, ip, mac, stranger } from "../ground.ts";

const site = await ground();
const pool = testPool(site.url, 2);
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
  const mine = [lease("10.0.0.40", 1, 5_000), lease("10.0.4.40", 41, 7_000)];
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

test("an import moves nobody to another segment, where it would leave the home it has", async () => {
  await site.store.commit([bind(site.segments["open"]!, stranger(3), "10.0.0.55")], "daemon/dhcpd");
  const away = { ...lease("10.0.4.55", 0, 600), mac: "02:ff:00:00:00:03" };
  assert.deepEqual(await take([away, lease("10.0.0.56", 42, 600), lease("10.0.4.56", 42, 900)]), [
    "10.0.4.55 refused: the client has 10.0.0.55 in segment open",
    "10.0.0.56 bound",
    "10.0.4.56 refused: the client has a newer lease in segment open",
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

test("a promise of DHCPv6 goes on beside the client's IPv4 one, and of two in a segment the newer is taken", async () => {
  const clientId = Uint8Array.from(Buffer.from("ff000012340003000102dd00000032", "hex"));
  const six = { ...lease("fd00::50", 50, 600), clientId };
  assert.deepEqual(await take([lease("10.0.4.50", 50, 600), six, lease("fd00::51", 50, 500)]), [
    "10.0.4.50 bound",
    "fd00::50 bound",
    "fd00::51 refused: the client has a newer lease here",
  ]);
  const [row] = await site.sql<{ id: string }>(
    "SELECT encode(client_id, 'hex') AS id FROM ipam.lease WHERE address = 'fd00::50'",
  );
  assert.equal(row?.id, "ff000012340003000102dd00000032");
  assert.deepEqual(await take([lease("fd00:9::1", 51, 600)]), ["fd00:9::1 refused: no prefix holds the address"]);
});
