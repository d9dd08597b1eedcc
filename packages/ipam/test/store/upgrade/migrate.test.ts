import assert from "node:assert/strict";
import test from "node:test";
import { testDatabase } from "@firstlight/kit/postgres";
import { Client } from "pg";
import { migrateIpam } from "../../../src/store/migrate.ts";

test("migrating what is migrated already changes nothing, however many do it at once", async () => {
  await using database = await testDatabase();
  assert.deepEqual(await Promise.all([migrateIpam(database.url), migrateIpam(database.url)]), [[], []]);
});

test("a database that is not there is said at once", async () => {
  await assert.rejects(migrateIpam("postgres://nobody@127.0.0.1:1/none"), /ECONNREFUSED/);
});

test("assignable: inside, no network, broadcast or gateway, no reserved head, nothing excluded, both families", async () => {
  await using database = await testDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  /** prefix, gateway, reserved, excluded; then addresses that may and may not be given. */
  const cases: [string, string | null, number, string[], string[], string[]][] = [
    [
      "10.0.0.0/24",
      "10.0.0.9",
      3,
      ["10.0.0.7"],
      ["10.0.0.3", "10.0.0.254"],
      ["10.0.0.0", "10.0.0.2", "10.0.0.7", "10.0.0.9", "10.0.0.255", "10.0.1.3", "::1"],
    ],
    ["10.0.0.0/24", null, 0, [], ["10.0.0.1"], ["10.0.0.0", "10.0.0.255"]],
    ["10.0.0.4/31", null, 0, [], ["10.0.0.4", "10.0.0.5"], ["10.0.0.6"]],
    ["10.0.0.4/32", null, 1, [], [], ["10.0.0.4"]],
    ["255.255.255.254/31", null, 2, [], [], ["255.255.255.254", "255.255.255.255"]],
    [
      "fd00::/64",
      "fd00::1",
      1,
      [],
      ["fd00::2", "fd00::ffff:ffff:ffff:ffff"],
      ["fd00::", "fd00::1", "fd00:0:0:1::2", "10.0.0.1"],
    ],
    ["fd00::4/127", null, 0, [], ["fd00::4", "fd00::5"], []],
  ];
  try {
    for (const [prefix, gateway, reserved, excluded, may, mayNot] of cases) {
      const sql = `SELECT ipam.assignable(p, a) AS ok, host(a) AS a FROM unnest($5::inet[]) a, jsonb_populate_record(
        NULL::ipam.prefix, jsonb_build_object('prefix', $1::cidr, 'gateway', $2::inet, 'reserved', $3::int, 'excluded', $4::inet[],
          'reserved_ranges', '[]'::jsonb)) p`;
      const { rows } = await client.query<{ ok: boolean; a: string }>(sql, [
        prefix,
        gateway,
        reserved,
        excluded,
        [...may, ...mayNot],
      ]);
      assert.deepEqual(
        rows.filter(({ ok }) => ok).map(({ a }) => a),
        may,
        prefix,
      );
    }
  } finally {
    await client.end();
  }
});
