/** What a replica loads is what the tables hold: through COPY, through the snapshot, whole or not at all. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import test, { after } from "node:test";
import { fullKey } from "@firstlight/changefeed";
import { systemClock } from "@firstlight/service";
import * as fc from "fast-check";
import { createReplica } from "../../src/feed/follower.ts";
import { keyOf } from "../../src/model/key.ts";
import { EVERYTHING } from "../../src/replica/holding.ts";
import { Tables } from "../../src/replica/memory/tables.ts";
import type { Row } from "../../src/model/model.ts";
import { readSnapshot, saveSnapshot } from "../../src/replica/snapshot.ts";
import { PgSource } from "../../src/feed/postgres.ts";
import { type Json, rowFrom, TABLES } from "../../src/database/rows.ts";
import { ground, HOST, bind } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());
const site = parts.use(await ground());
const source = parts.use(new PgSource({ url: site.url, name: "test" }));
const folder = parts.adopt(await mkdtemp(join(tmpdir(), "firstlight-copy-")), (path) => rm(path, { recursive: true }));

const HEADING = { at: { epoch: "e", position: 1 }, dnsPosition: 1, completeAt: 0, ahead: 0 };
const LINES = { numRuns: 12 };

/** Rows by key, as they may be compared. */
const byKey = (rows: Iterable<Row>): Map<string, Row> =>
  new Map([...rows].map((row) => [fullKey(row.kind, keyOf(row)), row]));

/** The tables as the feed would have them: row by row, as JSON. */
async function asJson(): Promise<Map<string, Row>> {
  const rows: Row[] = [];
  for (const kind of ["interface", "lease"] as const)
    for (const { row } of await site.sql<{ row: Json }>(`SELECT to_jsonb(t) AS "row" FROM ${TABLES[kind]} t`))
      rows.push(rowFrom(kind, row));
  return byKey(rows);
}

const isBulk = ({ kind }: Row): boolean => kind === "interface" || kind === "lease";

async function loadedRows(): Promise<Map<string, Row>> {
  const rows: Row[] = [];
  for await (const batch of (await source.load()).rows) rows.push(...[...batch].filter(isBulk));
  return byKey(rows);
}

async function loadedTables(): Promise<Tables> {
  const tables = new Tables();
  for await (const batch of (await source.load()).rows) tables.take(batch);
  return tables;
}

async function throughSnapshot(tables: Tables): Promise<Tables> {
  const file = join(folder, "replica");
  await saveSnapshot(file, HEADING, { kinds: EVERYTHING.kinds, count: tables.size, rows: tables.frozen() });
  const restored = new Tables();
  const read = await readSnapshot(file, EVERYTHING.kinds, (batch) => restored.take(batch));
  assert.equal(read.is, "restored");
  return restored;
}

const bytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((some) => `\\x${Buffer.from(some).toString("hex")}`));
const text = fc.option(fc.string({ unit: "grapheme", maxLength: 12 }).map((some) => some.replaceAll("\0", "")));
const version = fc.constantFrom(1, 2 ** 31, 2 ** 32, 2 ** 53 - 1);
const time = fc.date({ min: new Date("1999-12-31T23:59:59Z"), max: new Date("2100-01-01"), noInvalidDate: true });
const mac = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((number) => number.toString(16).padStart(12, "0"));
/** A client shows a MAC, or is known by another identity. */
const client = fc.oneof(
  mac.map((shown) => ({ mac: shown, identity: null })),
  fc.constantFrom("duid 00030001", "duid 0004ff", "port fd00::1/65").map((identity) => ({ mac: null, identity })),
);
const v4 = fc.ipV4();
const v6 = fc.ipV6();
/** No two of them overlap. */
const delegated = fc.integer({ min: 1, max: 255 }).map((n) => `2001:db8:0:${n.toString(16)}00::/56`);

const interfaceRow = fc
  .record({
    role: fc.constantFrom("host", "host_bmc", "dpu_bmc", "dpu_oob", "other"),
    machine: text,
    label: text,
    identified_by: fc.constantFrom("expected", "lease", "declared"),
    state: fc.constantFrom(null, null, "predicted", "away"),
    version,
  })
  .chain((row) => client.map((shown) => ({ ...row, ...shown })));
const leaseRow = fc
  .record({
    vrf: fc.constantFrom("default", "blau", "änger/1"),
    address: fc.oneof(v4, v4, v6, delegated),
    segment: fc.constantFrom(1, 2 ** 31 - 1),
    iaid: fc.constantFrom(null, 0, 2 ** 32 - 1),
    policy: fc.constantFrom("dynamic", "fixed", "retained", "preserved"),
    state: fc.constantFrom("bound", "released", "declined"),
    starts_at: time,
    expires_at: time,
    reusable_at: time,
    client_id: bytes,
    giaddr: fc.option(fc.oneof(v4, v6)),
    circuit_id: bytes,
    remote_id: bytes,
    version,
  })
  .chain((row) => client.map((shown) => ({ ...row, ...shown })));

async function fill(interfaces: readonly object[], leases: readonly object[]): Promise<void> {
  await site.sql("TRUNCATE ipam.interface, ipam.lease CASCADE");
  await site.sql(
    `INSERT INTO ipam.interface (segment, domain, mac, identity, role, machine, label, identified_by, state, version)
     SELECT s.id, s.domain, r.mac, r.identity, r.role, r.machine, r.label, r.identified_by, r.state, r.version
     FROM ipam.segment s, jsonb_populate_recordset(NULL::ipam.interface, $1) r WHERE s.name = 'open'
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(interfaces)],
  );
  await site.sql(
    `INSERT INTO ipam.lease SELECT (r).* FROM (
       SELECT jsonb_populate_record(NULL::ipam.lease, row || jsonb_build_object('interface', n)) AS r
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS list (row, n)) rows`,
    [JSON.stringify(leases)],
  );
}

test("a load and a snapshot hold what the tables hold: every column, NULL, IPv6, empty bytes", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(interfaceRow, { maxLength: 30 }),
      fc.uniqueArray(leaseRow, { maxLength: 30, selector: ({ vrf, address }) => `${vrf} ${address}` }),
      async (interfaces, leases) => {
        await fill(interfaces, leases);
        const json = await asJson();
        assert.deepEqual(await loadedRows(), json);
        const tables = await loadedTables();
        assert.deepEqual(byKey([...tables.all()].filter(isBulk)), json);
        const restored = await throughSnapshot(tables);
        assert.deepEqual(byKey(restored.all()), byKey(tables.all()));
      },
    ),
    LINES,
  );
});

test("a load is one snapshot: rows committed after its begin are in the feed, not in the load", async () => {
  await fill([], []);
  const loaded = await source.load();
  await site.store.commit([bind(site.segments["open"]!, HOST, "10.0.0.77")], "late");
  let rows = 0;
  for await (const batch of loaded.rows) for (const row of batch) if (isBulk(row)) rows++;
  assert.equal(rows, 0);
  assert.equal((await loadedRows()).size, 2);
});

test("a column of a later schema becomes a field of the row, a missing column is an absent field", async () => {
  await using other = await ground();
  await using reader = new PgSource({ url: other.url, name: "test" });
  await other.store.commit([bind(other.segments["open"]!, HOST, "10.0.0.77", { clientId: Uint8Array.of(1) })], "t");
  await other.sql("ALTER TABLE ipam.interface ADD COLUMN rack_unit integer");
  await other.sql("UPDATE ipam.interface SET rack_unit = 7");
  await other.sql("ALTER TABLE ipam.lease DROP COLUMN remote_id, DROP COLUMN client_id");
  const tables = new Tables();
  for await (const batch of (await reader.load()).rows) tables.take(batch);
  const [iface] = tables.interfaces.of(HOST);
  assert.equal((iface as { rackUnit?: number }).rackUnit, 7);
  assert.equal(tables.leases.heldBy(iface!.id)[0]!.clientId, undefined);
  const again = await throughSnapshot(tables);
  assert.deepEqual(byKey(again.all()), byKey(tables.all()));
});

/** 33 MB, more than what fits into the sockets between us and the database: who stops reading stops the copy. */
const MANY = 30_000;

async function fillMany(): Promise<void> {
  await fill([], []);
  await site.sql(
    `INSERT INTO ipam.lease (vrf, address, segment, interface, mac, policy, state, starts_at, expires_at, reusable_at, client_id)
     SELECT 'default', '10.0.0.0'::inet + n, 1, n, '02:00:00:00:00:01', 'dynamic', 'bound', now(), now(), now(), $2
     FROM generate_series(1, $1::int) n`,
    [MANY, Buffer.alloc(1000, 1)],
  );
}

const reading = "pid <> pg_backend_pid() AND query LIKE 'COPY%' AND datname = current_database() AND state = 'active'";

async function readers(): Promise<number> {
  const [row] = await site.sql<{ count: string }>(`SELECT count(*) FROM pg_stat_activity WHERE ${reading}`);
  return Number(row!.count);
}

test("a connection that breaks in the middle of a load rejects it", async () => {
  await fillMany();
  const loaded = await source.load();
  let rows = 0;
  await assert.rejects(async () => {
    for await (const batch of loaded.rows) {
      for (const row of batch) if (isBulk(row)) rows++;
      await site.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${reading}`);
    }
  });
  assert.ok(rows < MANY, `${rows} of ${MANY}`);
});

test("a replica whose reload breaks off keeps its rows, reports that the database is away, and loads again", async () => {
  await fillMany();
  const warned: string[] = [];
  const log = { info: () => {}, warn: (_: object, message: string) => void warned.push(message) };
  let breaks = 0;
  const fragile = {
    load: async () => {
      const { rows, ...loaded } = await source.load();
      if (breaks-- <= 0) return { ...loaded, rows };
      return { ...loaded, rows: cut(rows) };
    },
    changes: (...asked: Parameters<PgSource["changes"]>) => source.changes(...asked),
    wait: (...asked: Parameters<PgSource["wait"]>) => source.wait(...asked),
  };
  async function* cut(rows: AsyncIterable<Iterable<Row>>): AsyncGenerator<Iterable<Row>> {
    for await (const batch of rows) {
      yield batch;
      await site.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${reading}`);
    }
  }
  await using following = await createReplica(fragile, systemClock, { log, pollMs: 20, startMs: 60_000 });
  const { replica } = following;
  const at = replica.at;
  breaks = 2;
  const reloads: string[] = [];
  let isWhole = true;
  using _ = replica.follow(({ is }) => void (is === "reload" && reloads.push(is)));
  await site.sql(
    `INSERT INTO ipam.feed (position, dns_position, epoch, system_identifier, timeline, seen)
     SELECT position + 1048576, dns_position, gen_random_uuid(), system_identifier, timeline, seen
     FROM ipam.feed ORDER BY position DESC LIMIT 1`,
  );
  for (const until = Date.now() + 60_000; reloads.length === 0 && Date.now() < until; await delay(5))
    if (replica.lease(0x0a00_0001) === undefined || replica.lease(0x0a00_0000 + MANY) === undefined) isWhole = false;
  assert.deepEqual(reloads, ["reload"]);
  assert.ok(isWhole, "no reader saw a part");
  assert.notEqual(replica.at.epoch, at.epoch);
  assert.ok(warned.includes("database away, serving the replica"), warned.join());
});

test("a reader that stops early ends the copy and its connection", async () => {
  await fillMany();
  for await (const batch of (await source.load()).rows) {
    if ([...batch].some(isBulk)) break;
  }
  for (const until = Date.now() + 20_000; (await readers()) > 0 && Date.now() < until;) await delay(10);
  assert.equal(await readers(), 0);
});
