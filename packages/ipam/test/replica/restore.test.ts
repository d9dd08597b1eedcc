/** A database that went back to a backup in the same cluster: nobody keeps what it lost, and no position comes twice. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { systemClock } from "@firstlight/service";
import { Client } from "pg";
import { createReplica, type Following } from "../../src/feed/follower.ts";
import { type Sequencer, startSequencer } from "../../src/feed/sequencer.ts";
import { PgSource } from "../../src/feed/postgres.ts";
import { createStore } from "../../src/store/create.ts";
import { bind, type Ground, ground, ip, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

interface Place {
  readonly site: Ground;
  readonly open: number;
  readonly following: Following;
  bound(n: number): Promise<void>;
  sequencer(seen?: () => Following["replica"]["at"]): Sequencer;
}

async function place(): Promise<Place> {
  const site = parts.use(await ground());
  const source = parts.use(new PgSource({ url: site.url, name: "reader" }));
  const options = { pollMs: 10, startMs: 100, backoff: { baseMs: 5, maxMs: 20 } };
  const following = parts.use(await createReplica(source, systemClock, options));
  const open = site.segments["open"]!;
  return {
    site,
    open,
    following,
    async bound(n) {
      await using store = createStore({ url: site.url, name: "writer" });
      await store.commit([bind(open, stranger(n), `10.0.0.${20 + n}`)], "t");
    },
    sequencer: (seen) =>
      parts.use(
        startSequencer({
          url: site.url,
          name: "test",
          candidacyMs: 20,
          pollMs: 10,
          ...(seen !== undefined && { seen }),
        }),
      ),
  };
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const has = ({ following }: Place, n: number): boolean => following.replica.lease(ip(`10.0.0.${20 + n}`)) !== undefined;

/** In the cluster, beside the database. Takes it from whoever is connected, as a restore does. */
async function administer(url: string, ...statements: ((name: string) => string)[]): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const aside = new URL(url);
  aside.pathname = "/postgres";
  const client = new Client({ connectionString: aside.href });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement(name));
  } finally {
    await client.end();
  }
}

const kick = (name: string): string =>
  `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`;

/** Each brings the feed and the rows back to what they were, as far as the database's own identity can tell. */
const RESTORES: Record<string, (url: string) => Promise<() => Promise<void>>> = {
  "a copy of the database put in its place": async (url) => {
    await administer(
      url,
      (name) => `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`,
      kick,
      (name) => `CREATE DATABASE ${name}_backup TEMPLATE ${name}`,
      (name) => `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`,
    );
    return () =>
      administer(
        url,
        (name) => `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`,
        kick,
        (name) => `DROP DATABASE ${name}`,
        (name) => `ALTER DATABASE ${name}_backup RENAME TO ${name}`,
      );
  },
  "rows out of a dump loaded into the same database": async (url) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    for (const table of ["feed", "change", "lease", "interface"])
      await client.query(`CREATE TABLE public.${table} AS SELECT * FROM ipam.${table}`);
    await client.end();
    return async () => {
      const again = new Client({ connectionString: url });
      await again.connect();
      await again.query("BEGIN; TRUNCATE ipam.feed, ipam.change, ipam.change_pending, ipam.lease, ipam.interface");
      for (const table of ["feed", "change", "interface", "lease"])
        await again.query(`INSERT INTO ipam.${table} OVERRIDING SYSTEM VALUE SELECT * FROM public.${table}`);
      await again.query("COMMIT");
      await again.end();
    };
  },
};

for (const [how, backup] of Object.entries(RESTORES)) {
  test(`${how} begins a new epoch beyond all positions, and every reader loads what is there now`, async () => {
    const here = await place();
    const first = here.sequencer();
    await here.bound(1);
    await until(() => has(here, 1));
    await first[Symbol.asyncDispose]();
    const restore = await backup(here.site.url);
    const second = here.sequencer();
    await here.bound(2);
    await until(() => has(here, 2));
    const before = { ...here.following.replica.at, dns: here.following.replica.dnsPosition };
    await second[Symbol.asyncDispose]();

    await restore();
    await here.bound(3);
    here.sequencer();
    await until(() => has(here, 3));
    const { at, dnsPosition } = here.following.replica;
    assert.equal(has(here, 2), false, "it is not in the backup");
    assert.equal(has(here, 1), true);
    assert.notEqual(at.epoch, before.epoch);
    assert.ok(at.position > before.position && dnsPosition > before.dns, "serials never go back");
  });
}

/** Positions 1 to n as they were, header and all: what a rolled back disk looks like. */
async function rollBack({ site, following }: Place, positions: number): Promise<number> {
  const { position } = following.replica.at;
  await site.sql("DELETE FROM ipam.feed WHERE position > $1", [position - positions]);
  await site.sql("DELETE FROM ipam.change WHERE position > $1", [position - positions]);
  return position;
}

test("a disk that was rolled back is told by a reader: it keeps what it has until a new epoch begins beyond it", async () => {
  const here = await place();
  const first = here.sequencer();
  for (let n = 1; n <= 5; n++) await here.bound(n);
  await until(() => has(here, 5));
  await until(async () => (await here.site.sql("SELECT 1 FROM ipam.change_pending")).length === 0);
  await first[Symbol.asyncDispose]();
  const reached = await rollBack(here, 2);
  await until(() => here.following.ready().detail?.startsWith("database was restored to position") === true);
  assert.equal(here.following.replica.at.position, reached);
  assert.equal(has(here, 5), true);

  here.sequencer();
  await until(() => here.following.replica.at.position > reached);
  assert.equal(here.following.ready().because, undefined);
  // One that was borne meanwhile lies behind the new epoch, and means nothing there.
  const ahead = "SELECT 1 FROM ipam.witness WHERE position > (SELECT max(position) FROM ipam.feed)";
  assert.deepEqual(await here.site.sql(ahead), []);
});

test("a sequencer whose own replica is ahead of the feed begins a new epoch before it gives any position", async () => {
  const here = await place();
  const first = here.sequencer();
  for (let n = 1; n <= 3; n++) await here.bound(n);
  await until(() => has(here, 3));
  await here.site.drained();
  await first[Symbol.asyncDispose]();
  const at = here.following.replica.at;
  await here.following[Symbol.asyncDispose](); // bears no witness
  await rollBack(here, 2);
  await here.bound(4);
  here.sequencer(() => at);
  await here.site.drained();
  const [feed] = await here.site.sql<{ least: string }>(
    "SELECT min(position) AS least FROM ipam.feed WHERE epoch <> $1",
    [at.epoch],
  );
  assert.equal(Number(feed!.least), at.position + 2 ** 20 + 2, "behind what waited: an interface and its lease");
});

test("an upgrade, a vacuum and a restart of the sequencer are no restore", async () => {
  const here = await place();
  const first = here.sequencer();
  await here.bound(1);
  await until(() => has(here, 1));
  const { epoch } = here.following.replica.at;
  await first[Symbol.asyncDispose]();
  await here.site.sql("VACUUM (FULL, FREEZE) ipam.feed");
  await here.site.sql("VACUUM FREEZE ipam.feed");
  here.sequencer();
  await here.bound(2);
  await until(() => has(here, 2));
  assert.equal(here.following.replica.at.epoch, epoch);
});
