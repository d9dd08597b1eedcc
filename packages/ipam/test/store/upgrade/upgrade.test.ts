/** From the schema of each release to this version's, with rows in it; and daemons of that release beside ours. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { dnsName } from "@firstlight/kit";
import { testDatabase, testPool } from "@firstlight/kit/postgres";
import { systemClock } from "@firstlight/service";
import { parsePrefix, assertParsed } from "@firstlight/wire";
import { createReplica } from "../../../src/feed/follower.ts";
import { MIGRATIONS, migrateIpam, migrateSchema } from "../../../src/store/migrate.ts";
import { startSequencer } from "../../../src/feed/sequencer.ts";
import { PgSource } from "../../../src/feed/postgres.ts";
import { createStore } from "../../../src/store/create.ts";
import { bind, ip, mac, said } from "../../ground.ts";
import * as old from "./release-0001.ts";
import * as fifth from "./release-0005.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

const FILES = readdirSync(MIGRATIONS).toSorted();

type Sql = <T = Record<string, unknown>>(text: string, values?: unknown[]) => Promise<T[]>;

interface Release {
  readonly url: string;
  readonly sql: Sql;
}

/** A database as it was with the first so many migrations. */
async function released(count: number): Promise<Release> {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-migrations-"));
  parts.defer(() => rmSync(dir, { recursive: true, force: true }));
  for (const file of FILES.slice(0, count)) cpSync(join(MIGRATIONS, file), join(dir, file));
  const { url } = parts.use(await testDatabase());
  const pool = parts.adopt(testPool(url, 2), (pool) => pool.end());
  pool.on("error", () => {});
  const sql: Sql = async (text, values) => (await pool.query(text, values)).rows as never;
  await sql("DROP SCHEMA ipam CASCADE");
  await migrateSchema(url, "ipam", dir);
  return { url, sql };
}

const DEVICE = "02:00:00:00:05:01";

/** One row of every kind at least, written as the first release wrote them. */
async function settle({ sql }: Release): Promise<void> {
  await sql(
    "INSERT INTO ipam.domain (name, name_servers, ttl_seconds, negative_ttl_seconds) VALUES ('lab.test', '{ns1}', 60, 5)",
  );
  await sql(`INSERT INTO ipam.segment (name, "is", domain, vrf, mtu, lease_seconds, grace_seconds, admission, allocation, policy, naming, boots)
    VALUES ('open', 'underlay', 1, 'default', 1500, 600, 3600, 'open', 'dynamic', 'dynamic', 'address', true)`);
  await sql(
    "INSERT INTO ipam.prefix (segment, vrf, prefix, gateway, reserved) VALUES (1, 'default', '10.0.0.0/24', '10.0.0.1', 2)",
  );
  await sql(`INSERT INTO ipam.expected_device (mac, machine, serial, role, label, address)
    VALUES ('${DEVICE}', 'r1', 'S1', 'host', 'r1', '10.0.0.77')`);
  await sql(
    "INSERT INTO ipam.name (domain, owner, type, data, ttl_seconds) VALUES (1, 'www.lab.test', 'A', '10.0.0.9', 60)",
  );
  await oldBind({ sql }, DEVICE, "10.0.0.77");
}

/** A first lease, as a daemon of the first release commits it; the row, or nothing. */
async function oldBind(
  { sql }: Pick<Release, "sql">,
  device: string,
  address: string,
): Promise<Record<string, unknown>[]> {
  const [fact] = await sql<{ vrf: string; domain: number; policy: string; interface: { id: number } | null }>(
    old.FACTS,
    [[1], [device], [address]],
  );
  const made = fact!.interface
    ? [{ row: fact!.interface }]
    : await sql<{ row: { id: number } }>(old.INSERT_INTERFACES, [
        [1],
        [device],
        [1],
        ["host"],
        [null],
        [null],
        ["lease"],
      ]);
  const values = [[fact!.vrf], [address], [1], [made[0]!.row.id], [device], [fact!.policy], [600], [3600]];
  return sql(old.BIND, ["daemon/old", ...values, [null], [null], [null], [null], [true], [null], [false]]);
}

const TABLES = [
  "domain",
  "segment",
  "prefix",
  "interface",
  "expected_device",
  "lease",
  "name",
  "change",
  "change_pending",
];

/** Every row of the first release's tables, by the columns that it knew. */
async function rows({ sql }: Release, columns?: ReadonlyMap<string, string>): Promise<[Map<string, string>, unknown]> {
  const known = new Map(columns);
  const all: Record<string, unknown> = {};
  for (const table of TABLES) {
    const list =
      known.get(table) ??
      (
        await sql<{ list: string }>(
          `SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS list
           FROM information_schema.columns WHERE table_schema = 'ipam' AND table_name = $1`,
          [table],
        )
      )[0]!.list;
    known.set(table, list);
    all[table] = await sql(`SELECT ${list} FROM ipam.${table} ORDER BY 1, 2`);
  }
  return [known, all];
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const [n, file] of FILES.slice(0, -1).entries()) {
  test(`from ${file}: every row is as it was, and goes on being served`, async () => {
    const release = await released(n + 1);
    await settle(release);
    const [columns, before] = await rows(release);
    assert.deepEqual(
      await migrateIpam(release.url),
      FILES.slice(n + 1).map((name) => name.replace(".sql", "")),
    );
    assert.deepEqual((await rows(release, columns))[1], before);

    const { url } = release;
    await using _sequencer = startSequencer({ url, name: "test", pollMs: 10 });
    await using source = new PgSource({ url, name: "test" });
    await using following = await createReplica(source, systemClock, { pollMs: 10 });
    await using store = createStore({ url, name: "test" });
    const [renewed] = await store.commit([bind(1, mac(DEVICE), "10.0.0.77")], "daemon/new");
    assert.equal(said(renewed), "bound 10.0.0.77");
    const { replica } = following;
    await until(
      () => (replica.lease(ip("10.0.0.77"))?.version ?? 0) >= (renewed?.is === "bound" ? renewed.lease.version : 0),
    );
    assert.equal(replica.segment(1)?.name, "open");
    assert.equal(replica.namesAt(dnsName("www.lab.test")).length, 1);
    assert.equal(replica.expected(mac(DEVICE))?.machine, "r1");
  });
}

test("a daemon of the first release works beside this one: leases, feed, and a sequencer in turn", async () => {
  const release = await released(1);
  const { url, sql } = release;
  await settle(release);
  await sql(old.SEQUENCE);
  await migrateIpam(url);

  assert.equal((await oldBind(release, "02:00:00:00:05:02", "10.0.0.20")).length, 1);
  assert.equal(
    (await oldBind(release, "02:00:00:00:05:03", "10.0.0.20")).length,
    0,
    "the constraint arbitrates for both",
  );
  await using store = createStore({ url, name: "new" });
  const [late] = await store.commit([bind(1, mac("02:00:00:00:05:04"), "10.0.0.20")], "daemon/new");
  const [other] = await store.commit([bind(1, mac("02:00:00:00:05:04"), "10.0.0.21")], "daemon/new");
  assert.deepEqual([late, other].map(said), ["address-bound-elsewhere", "bound 10.0.0.21"]);
  const [moved] = await sql<{ count: string }>(old.SEQUENCE);
  assert.equal(Number(moved!.count), 3, "a lease of each, and the new one's interface");
  const [{ same } = { same: false }] = await sql<{ same: boolean }>(old.SAME_HISTORY);
  assert.equal(same, true);

  await using source = new PgSource({ url, name: "new" });
  await using following = await createReplica(source, systemClock, { pollMs: 10 });
  const { epoch, position } = following.replica.at;
  await using sequencer = startSequencer({ url, name: "new", pollMs: 10 });
  await until(() => sequencer.isLeader);
  await oldBind(release, "02:00:00:00:05:05", "10.0.0.22");
  await until(() => following.replica.lease(ip("10.0.0.22")) !== undefined);
  assert.equal(following.replica.at.epoch, epoch, "what the old sequencer wrote is no restore");
  const pulled = await sql<{ position: string }>(old.PULL, [position, 10]);
  assert.deepEqual(
    pulled.map((row) => Number(row.position)),
    [position + 1],
  );
});

test("a daemon of schema 0005 leases beside role pools and drains, which it does not know of; this one judges by them", async () => {
  const release = await released(5);
  const { url, sql } = release;
  await settle(release);
  await migrateIpam(url);
  await using store = createStore({ url, name: "new" });
  const pool = { first: ip("10.0.0.100"), last: ip("10.0.0.119"), roles: ["host_bmc"] as const };
  const [row] = await sql<{ prefix: string }>("SELECT prefix::text FROM ipam.prefix");
  assert.equal(row?.prefix, "10.0.0.0/24");
  const edit = {
    prefix: assertParsed(parsePrefix("10.0.0.0/24"), "prefix"),
    gateway: ip("10.0.0.1"),
    reserved: 2,
    excluded: [],
  };
  await store.updateSegment("open", { prefixes: [{ ...edit, pools: [pool] }] }, "t");

  const bindAs = async (device: string, address: string): Promise<number> => {
    await sql(fifth.LOCK_INTERFACES, [[1], [device]]);
    const [fact] = await sql<{ vrf: string; policy: string; assignable: boolean; interface: { id: number } | null }>(
      fifth.FACTS,
      [[1], [device], [address]],
    );
    assert.ok(fact?.assignable);
    const made = fact.interface
      ? [{ row: fact.interface }]
      : await sql<{ row: { id: number } }>(fifth.INSERT_INTERFACES, [
          [1],
          [device],
          [1],
          ["other"],
          [null],
          [null],
          ["lease"],
        ]);
    const given = [[fact.vrf], [address], [1], [made[0]!.row.id], [device], [fact.policy], [600], [3600]];
    const rest = [[null], [null], [null], [null], [true], [null], [false], [false]];
    return (await sql(fifth.BIND, ["daemon/old", ...given, ...rest])).length;
  };
  const theirs = "02:00:00:00:05:20";
  assert.equal(await bindAs(theirs, "10.0.0.50"), 1);
  await store.drain("open", edit.prefix, "draining", "t");
  assert.equal(await bindAs(theirs, "10.0.0.50"), 1, "it renews as before");
  const outcomes = await store.commit(
    [bind(1, mac(theirs), "10.0.0.50"), bind(1, mac("02:00:00:00:05:21"), "10.0.0.51")],
    "daemon/new",
  );
  assert.deepEqual(outcomes.map(said), ["bound 10.0.0.50", "prefix-draining"]);
  await store.drain("open", edit.prefix, "active", "t");
  const [pooled] = await store.commit([bind(1, mac("02:00:00:00:05:21"), "10.0.0.100")], "daemon/new");
  assert.equal(said(pooled), "address-not-in-pool");
});
