import assert from "node:assert/strict";
import test from "node:test";
import { keaRows } from "@firstlight/ipam/exchange";
import { testDatabase } from "@firstlight/kit/postgres";
import { Client } from "pg";
import { keaTable } from "../src/kea.ts";

/** As Kea's `dhcpdb_create.pgsql` makes it, up to schema 2.2. */
const LEASE4 = `
  CREATE TABLE lease4 (
    address BIGINT PRIMARY KEY NOT NULL, hwaddr BYTEA, client_id BYTEA, valid_lifetime BIGINT,
    expire TIMESTAMP WITH TIME ZONE, subnet_id BIGINT, fqdn_fwd BOOLEAN, fqdn_rev BOOLEAN, hostname VARCHAR(255),
    state INT8 DEFAULT 0, user_context TEXT);
  INSERT INTO lease4 SELECT 167772160 + n, decode('02bb0000' || lpad(to_hex(n), 4, '0'), 'hex'), NULL, 3600,
    timestamptz '2026-11-21 09:00:00Z' + make_interval(secs => n), 1, false, false, '', CASE WHEN n % 100 = 0 THEN 1 ELSE 0 END,
    CASE WHEN n = 1 THEN '{ "ISC": { "relay-agent-info": "0x010465746830" } }' END
  FROM generate_series(1, 5100) n;
  INSERT INTO lease4 (address, hwaddr, valid_lifetime, expire) VALUES (4294967295, NULL, 60, timestamptz '2026-11-21 09:00:00Z')`;

test("Kea's table is read page by page, addresses, times and option 82 as they are", async () => {
  await using database = await testDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(LEASE4);
  await client.end();
  const { leases, passed } = keaRows(await keaTable(database.url), Date.UTC(2026, 10, 21, 8));
  assert.deepEqual(Object.fromEntries(passed), { declined: 51, "no Ethernet address": 1 });
  assert.equal(leases.length, 5_049);
  assert.deepEqual(leases.at(-1), {
    address: "10.0.0.1",
    mac: "02:bb:00:00:00:01",
    expiresAt: Date.UTC(2026, 10, 21, 9, 0, 1),
    circuitId: Uint8Array.from(Buffer.from("eth0")),
  });
});

/** The same up to schema 2.2, with text addresses; since schema 15 they are inet. */
const LEASE6 = (address: string): string => `
  CREATE TABLE lease6 (
    address ${address} PRIMARY KEY NOT NULL, duid BYTEA, valid_lifetime BIGINT, expire TIMESTAMP WITH TIME ZONE, subnet_id BIGINT,
    pref_lifetime BIGINT, lease_type SMALLINT, iaid INT, prefix_len SMALLINT, fqdn_fwd BOOLEAN, fqdn_rev BOOLEAN,
    hostname VARCHAR(255), state INT8 DEFAULT 0, hwaddr BYTEA, hwtype SMALLINT, hwaddr_source SMALLINT, user_context TEXT);
  INSERT INTO lease6 (address, duid, valid_lifetime, expire, lease_type, iaid) VALUES
    ('fd00::2', '\\x0003000102bb00000002', 3600, timestamptz '2026-11-21 09:00:00Z', 0, -2),
    ('fd00:1::', '\\x0003000102bb00000002', 3600, timestamptz '2026-11-21 09:00:00Z', 2, 1);`;

for (const address of ["VARCHAR(39)", "INET"])
  test(`Kea's leases of IPv6 are read too, with addresses as ${address}`, async () => {
    await using database = await testDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(LEASE4 + ";" + LEASE6(address));
    await client.end();
    const { leases, passed } = keaRows(await keaTable(database.url), Date.UTC(2026, 10, 21, 8));
    assert.equal(passed.get("of DHCPv6: a delegated prefix, which a pool gives"), 1);
    assert.deepEqual(
      leases.filter(({ address }) => address.includes(":")),
      [
        {
          address: "fd00::2",
          mac: "02:bb:00:00:00:02",
          expiresAt: Date.UTC(2026, 10, 21, 9),
          clientId: Uint8Array.from(Buffer.from("fffffffffe0003000102bb00000002", "hex")),
        },
      ],
    );
  });

test("a database that is not there, or not Kea's, is one line", async () => {
  await assert.rejects(keaTable("postgres://127.0.0.1:1/kea"), { message: /^Kea's database: .*ECONNREFUSED/ });
  await using database = await testDatabase();
  await assert.rejects(keaTable(database.url), { message: `Kea's database: relation "lease4" does not exist` });
});
