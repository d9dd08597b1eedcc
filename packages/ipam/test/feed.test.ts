import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Client } from "pg";
import type { Change } from "../src/feed.ts";
import type { Sequencer } from "../src/sequencer.ts";
import { PgSource } from "../src/source/postgres.ts";
import { bind, type Ground, ground, stranger } from "./ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

interface Place {
  readonly site: Ground;
  readonly source: PgSource;
  readonly open: number;
}

async function place(): Promise<Place> {
  const site = parts.use(await ground());
  return { site, source: parts.use(new PgSource({ url: site.url, name: "test" })), open: site.segments["open"]! };
}

/** The whole feed, from its first position to what it has now, in pages of seven. */
async function feed({ source, site }: Place): Promise<Change[]> {
  const [at] = await site.sql<{ epoch: string }>("SELECT epoch FROM ipam.feed ORDER BY position DESC LIMIT 1");
  const all: Change[] = [];
  for (;;) {
    const pulled = await source.changes({ epoch: at!.epoch, position: all.at(-1)?.position ?? 0 }, 7);
    assert.ok(pulled.is === "changes");
    all.push(...pulled.changes);
    if (!pulled.more) return all;
  }
}

function mustBeGapless(changes: readonly Change[]): void {
  assert.deepEqual(
    changes.map(({ position }) => position),
    changes.map((_, n) => n + 1),
  );
  const versions = new Map<string, number>();
  for (const { kind, key, version } of changes) {
    assert.ok(version > (versions.get(`${kind} ${key}`) ?? 0), `${kind} ${key}: versions only grow`);
    versions.set(`${kind} ${key}`, version);
  }
}

const leasesIn = (changes: readonly Change[]): number => changes.filter(({ kind }) => kind === "lease").length;

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A transaction that changed a domain and has not committed yet. */
async function heldOpen(url: string): Promise<{ client: Client; commit(): Promise<void> }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query("BEGIN");
  await client.query(`WITH d AS (UPDATE ipam.domain SET ttl_seconds = ttl_seconds + 1, version = nextval('ipam.version') RETURNING *)
    INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor) SELECT version, 'domain', id::text, true, to_jsonb(d), 'held' FROM d`);
  return {
    client,
    async commit() {
      await client.query("COMMIT");
      await client.end();
    },
  };
}

test("a transaction that stays open stalls nobody, leaves no gap, and comes when it commits", async () => {
  const here = await place();
  const { site, open } = here;
  const held = await heldOpen(site.url);
  const other = site.anotherStore();
  site.sequencer();
  await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      (n % 2 ? site.store : other).commit([bind(open, stranger(n), `10.0.0.${20 + n}`)], "t"),
    ),
  );
  await until(async () => leasesIn(await feed(here)) === 30);
  mustBeGapless(await feed(here));
  assert.equal((await feed(here)).filter(({ actor }) => actor === "held").length, 0);

  await held.commit();
  await until(async () => (await feed(here)).at(-1)?.actor === "held");
  mustBeGapless(await feed(here));
});

test("of two transactions the one that began first and commits last comes last, with the newer row", async () => {
  const here = await place();
  const { site } = here;
  const early = new Client({ connectionString: site.url });
  await early.connect();
  await early.query("BEGIN");
  await early.query("SELECT pg_current_xact_id()"); // the lower transaction id
  site.sequencer();
  const late = await heldOpen(site.url);
  await late.commit();
  await until(async () => (await feed(here)).at(-1)?.actor === "held");
  await early.query(`WITH d AS (UPDATE ipam.domain SET ttl_seconds = 7, version = nextval('ipam.version') RETURNING *)
    INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor) SELECT version, 'domain', id::text, true, to_jsonb(d), 'early' FROM d`);
  await early.query("COMMIT");
  await early.end();
  await until(async () => (await feed(here)).at(-1)?.actor === "early");
  const changes = await feed(here);
  mustBeGapless(changes);
  const last = changes.at(-1);
  assert.ok(last?.is === "row" && last.row?.kind === "domain" && last.row.ttlSeconds === 7);
});

test("two stores that renew the same devices in opposite order leave each row's versions in order", async () => {
  const here = await place();
  const { site, open } = here;
  site.sequencer();
  const other = site.anotherStore();
  const forth = Array.from({ length: 12 }, (_, n) => bind(open, stranger(n), `10.0.0.${20 + n}`));
  for (let round = 0; round < 8; round++) {
    await Promise.all([site.store.commit(forth, "a"), other.commit(forth.toReversed(), "b")]);
  }
  await site.drained();
  const changes = await feed(here);
  mustBeGapless(changes);
  const leases = changes.filter(({ kind }) => kind === "lease");
  assert.equal(leases.length, 12 * 16);
  assert.equal(leases.filter(({ dns }) => dns).length, 12, "renewals are no news for DNS");
});

test("leadership passes on when the leader's connection dies, and no change is lost or sequenced twice", async () => {
  const here = await place();
  const { site, open } = here;
  const two: Sequencer[] = [site.sequencer(), site.sequencer()];
  const leaders = (): Sequencer[] => two.filter(({ isLeader }) => isLeader);
  for (let round = 0; round < 3; round++) {
    await until(() => leaders().length === 1);
    const writing = Array.from({ length: 10 }, (_, n) =>
      site.store.commit([bind(open, stranger(round * 10 + n), `10.0.0.${20 + round * 10 + n}`)], "t"),
    );
    await site.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1179403604 AND objid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    await Promise.all(writing);
  }
  await site.drained();
  const changes = await feed(here);
  mustBeGapless(changes);
  assert.equal(changes.filter(({ kind }) => kind === "lease").length, 30);
  assert.ok(leaders().length <= 1);
});

test("in another history of the database a new epoch begins, far ahead, and readers must load anew", async () => {
  const here = await place();
  const { site, source, open } = here;
  const first = site.sequencer();
  await site.drained();
  await first[Symbol.asyncDispose]();
  const before = await source.load();
  for await (const _ of before.rows);
  await site.store.commit([bind(open, stranger(1), "10.0.0.20")], "t"); // waits in the outbox of the restored database
  await site.sql("UPDATE ipam.feed SET system_identifier = system_identifier + 1");

  const second = site.sequencer();
  await until(() => second.isLeader);
  const pulled = await source.changes(before.at, 10);
  assert.ok(pulled.is === "epoch");
  assert.notEqual(pulled.now.epoch, before.at.epoch);
  assert.equal(
    pulled.now.position,
    before.at.position + 2 ** 20 + 2,
    "what waited has the first positions: interface and lease",
  );
  const anew = await source.load();
  assert.equal(anew.dnsPosition, anew.at.position, "serials never go back");
  let leases = 0;
  for await (const rows of anew.rows) leases += [...rows].filter(({ kind }) => kind === "lease").length;
  assert.equal(leases, 1);

  await site.store.commit([bind(open, stranger(2), "10.0.0.21")], "t");
  await site.drained();
  const next = await source.changes(anew.at, 10);
  assert.ok(next.is === "changes");
  const [iface, lease] = next.changes;
  assert.deepEqual(new Set([iface?.kind, lease?.kind]), new Set(["interface", "lease"]));
  assert.deepEqual(
    next.changes.map(({ position }) => position - anew.at.position),
    [1, 2],
  );
});

test("a reader behind the trim point loads anew, one ahead of it goes on", async () => {
  const here = await place();
  const { site, source, open } = here;
  const [{ epoch } = { epoch: "" }] = await site.sql<{ epoch: string }>("SELECT epoch FROM ipam.feed");
  const first = site.sequencer();
  const addresses = Array.from({ length: 20 }, (_, n) => bind(open, stranger(n), `10.0.0.${20 + n}`));
  await site.store.commit(addresses, "t");
  await site.drained();
  const total = (await feed(here)).length;
  await first[Symbol.asyncDispose]();
  const second = site.sequencer({ keep: 5 });
  await until(() => second.isLeader);
  await until(async () => (await site.sql("SELECT 1 FROM ipam.change")).length === 5);
  assert.deepEqual(await source.changes({ epoch, position: 1 }, 10), {
    is: "epoch",
    now: { epoch, position: total - 5 },
  });
  const pulled = await source.changes({ epoch, position: total - 5 }, 10);
  assert.ok(pulled.is === "changes" && pulled.changes.length === 5);
  assert.equal((await site.sql("SELECT 1 FROM ipam.feed")).length, 1);
});

test("a wait ends with the news, not with its time", async () => {
  const here = await place();
  const { site, source, open } = here;
  site.sequencer({ pollMs: 60_000 });
  await site.drained();
  const { signal } = new AbortController();
  const began = performance.now();
  await source.wait(50, signal); // connects
  for (let n = 0; n < 3; n++) {
    await site.store.commit([bind(open, stranger(n), `10.0.0.${20 + n}`)], "t");
    await source.wait(60_000, signal);
  }
  assert.ok(performance.now() - began < 50_000, "the notification came");
});
