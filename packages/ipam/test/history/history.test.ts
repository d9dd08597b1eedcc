import { testPool } from "@firstlight/kit/postgres";
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type HistoryOptions, type Keeper, startHistory } from "../../src/history/keeper.ts";
import { createHistory, type History, type Tenancy } from "../../src/history/read.ts";
import { macOf } from "../../src/model/identity.ts";
import { back, bind, type Ground, ground, HOST, ip, stranger } from "../ground.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

interface Place {
  readonly site: Ground;
  readonly history: History;
  readonly open: number;
  /** Takes in what is committed, and answers when it is. */
  readonly kept: () => Promise<void>;
  keeper(options?: Partial<HistoryOptions>): Keeper;
}

async function place(): Promise<Place> {
  const site = parts.use(await ground());
  const pool = parts.adopt(testPool(site.url, 2), (pool) => pool.end());
  site.sequencer({ pollMs: 10 });
  const keeper = (options: Partial<HistoryOptions> = {}): Keeper =>
    parts.use(startHistory({ url: site.url, name: "test", pollMs: 10, ...options }));
  const kept = async (): Promise<void> => {
    await site.drained();
    await until(async () => {
      const [row] = await site.sql<{ level: boolean }>(
        "SELECT c.position = (SELECT max(position) FROM ipam.feed) AS level FROM ipam.chronicle c",
      );
      return row?.level === true;
    });
  };
  return { site, history: createHistory(pool), open: site.segments["open"]!, kept, keeper };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Everything that is said of times lies this much earlier: the test lives through days in a moment. */
async function age({ site }: Place, hours: number): Promise<void> {
  await site.sql(
    `UPDATE ipam.lease SET starts_at = starts_at - make_interval(hours => $1),
    expires_at = expires_at - make_interval(hours => $1), reusable_at = reusable_at - make_interval(hours => $1)`,
    [hours],
  );
  await site.sql(
    `UPDATE ipam.tenancy SET starts_at = starts_at - make_interval(hours => $1),
    expires_at = expires_at - make_interval(hours => $1), closed_at = closed_at - make_interval(hours => $1)`,
    [hours],
  );
}

const HOUR = 3_600_000;
const brief = ({ mac, is, machine }: Tenancy): string => `${mac} ${is}${machine === undefined ? "" : ` ${machine}`}`;

test("who had an address is known for every moment: the holder, who lapsed, the next holder, nobody before", async () => {
  const here = await place();
  const { site, history, open, kept } = here;
  here.keeper();
  const [one, two] = [stranger(1), stranger(2)];
  await site.store.commit([bind(open, one, "10.0.0.20", { leaseSeconds: 3600 })], "daemon/dhcpd");
  await site.store.commit([bind(open, one, "10.0.0.20", { leaseSeconds: 7200 })], "daemon/dhcpd"); // renewed
  await kept();
  await age(here, 72);
  await site.store.commit([bind(open, two, "10.0.0.20", { leaseSeconds: 3600 })], "daemon/dhcpd");
  await kept();
  const now = Date.now();
  const who = async (at: number): Promise<string[]> => (await history.whoHad(ip("10.0.0.20"), at)).tenancies.map(brief);
  assert.deepEqual(await who(now + 1000), ["02:ff:00:00:00:02 bound"]);
  assert.deepEqual(await who(now - HOUR), ["02:ff:00:00:00:01 lapsed"]);
  assert.deepEqual(await who(now - 72 * HOUR + 1.5 * HOUR), ["02:ff:00:00:00:01 bound"], "the renewal counts");
  assert.deepEqual(await who(now - 80 * HOUR), []);
  assert.match((await history.whoHad(ip("10.0.0.20"), now - 80 * HOUR)).because!, /^nothing is known before 20/);
  assert.equal((await history.whoHad(ip("10.0.0.21"), now + 1000)).because, "nobody had it");
  assert.equal((await site.sql("SELECT 1 FROM ipam.tenancy")).length, 2, "a renewal is no row");
});

test("a release ends a tenancy at once, and a machine's name stands beside its MAC", async () => {
  const here = await place();
  const { site, history, open, kept } = here;
  here.keeper();
  await site.store.commit([bind(open, HOST, "10.0.0.30")], "daemon/dhcpd");
  await kept();
  await age(here, 1);
  await site.sql("UPDATE ipam.lease SET expires_at = now() + interval '1 h'");
  await site.store.commit([back("release", open, HOST, "10.0.0.30")], "daemon/dhcpd");
  await kept();
  const [past, present] = [Date.now() - HOUR / 2, Date.now() + 1000];
  assert.deepEqual((await history.whoHad(ip("10.0.0.30"), past)).tenancies.map(brief), ["02:00:00:00:01:01 bound r1"]);
  assert.deepEqual((await history.whoHad(ip("10.0.0.30"), present)).tenancies.map(brief), [
    "02:00:00:00:01:01 lapsed r1",
  ]);
});

test("every change is audited with its actor and what it changed; plain renewals are not", async () => {
  const here = await place();
  const { site, history, open, kept } = here;
  here.keeper();
  await site.store.commit([bind(open, stranger(1), "10.0.0.20")], "daemon/dhcpd");
  for (let n = 0; n < 5; n++) await site.store.commit([bind(open, stranger(1), "10.0.0.20")], "daemon/dhcpd");
  await site.store.updateSegment("open", { mtu: 9000 }, "operator/anna");
  await kept();
  const [newest] = await history.audit({ limit: 1 });
  assert.deepEqual(
    [newest?.actor, newest?.kind, newest?.did, newest?.changed],
    ["operator/anna", "segment", "changed", [{ field: "mtu", before: "1500", after: "9000" }]],
  );
  const ofAddress = await history.audit({ key: "10.0.0.20", limit: 10 });
  assert.deepEqual(
    ofAddress.map(({ actor, kind, did }) => `${actor} ${kind} ${did}`),
    ["daemon/dhcpd lease created"],
  );
  const all = await history.audit({ limit: 1000 });
  assert.deepEqual(
    new Set(all.map(({ actor }) => actor)),
    new Set(["operator/anna", "daemon/dhcpd", "config", "sequencer"]),
  );
  const pages = [...(await history.audit({ limit: 2 })), ...(await history.audit({ limit: 1000, before: all[1]!.id }))];
  assert.deepEqual(pages, all);
  assert.deepEqual(await history.audit({ actor: "operator/nobody", limit: 10 }), []);
  assert.deepEqual(await history.audit({ to: 1, limit: 10 }), []);
});

test("what the feed forgot before it was taken in is caught up with from the leases, and said", async () => {
  const here = await place();
  const { site, history, open, kept } = here;
  const first = here.keeper();
  await site.store.commit([bind(open, stranger(1), "10.0.0.20"), bind(open, stranger(2), "10.0.0.21")], "t");
  await kept();
  await first[Symbol.asyncDispose]();
  await site.store.commit([back("release", open, stranger(1), "10.0.0.20"), bind(open, stranger(3), "10.0.0.22")], "t");
  await site.drained();
  await site.sql("DELETE FROM ipam.change");
  await site.store.commit([bind(open, stranger(4), "10.0.0.23")], "t");
  here.keeper();
  await kept();
  const at = Date.now() + 1000;
  const who = async (address: string) => (await history.whoHad(ip(address), at)).tenancies.map(brief);
  assert.deepEqual(await who("10.0.0.20"), ["02:ff:00:00:00:01 lapsed"]);
  assert.deepEqual(await who("10.0.0.21"), ["02:ff:00:00:00:02 bound"]);
  assert.deepEqual(await who("10.0.0.22"), ["02:ff:00:00:00:03 bound"]);
  assert.deepEqual(await who("10.0.0.23"), ["02:ff:00:00:00:04 bound"]);
  const holes = await history.audit({ kind: "feed", limit: 10 });
  assert.deepEqual(
    holes.map(({ changed }) => changed[0]?.after),
    ["changes were trimmed before they were taken in", "history begins"],
  );
});

test("two keepers take each change in once", async () => {
  const here = await place();
  const { site, open, kept } = here;
  const two = [here.keeper(), here.keeper()];
  for (let n = 0; n < 10; n++) await site.store.commit([bind(open, stranger(n), `10.0.0.${20 + n}`)], "t");
  await kept();
  const [feed] = await site.sql<{ position: string }>("SELECT max(position) AS position FROM ipam.change");
  assert.equal(two[0]!.archived + two[1]!.archived, Number(feed!.position));
  const [audit] = await site.sql<{ n: number; positions: number }>(
    "SELECT count(*)::int AS n, count(DISTINCT position)::int AS positions FROM ipam.audit WHERE kind <> 'feed'",
  );
  assert.equal(audit!.n, audit!.positions);
});

test("history is bounded: by age, and by number whatever the age", async () => {
  const here = await place();
  const { site, open, kept } = here;
  const first = here.keeper();
  const all = Array.from({ length: 20 }, (_, n) => bind(open, stranger(n), `10.0.0.${20 + n}`));
  await site.store.commit(all, "t");
  await site.store.commit(
    all.map(({ identity: mac }, n) => back("release", open, macOf(mac)!, `10.0.0.${20 + n}`)),
    "t",
  );
  await kept();
  await first[Symbol.asyncDispose]();
  await site.sql("UPDATE ipam.tenancy SET closed_at = closed_at - interval '10 days' WHERE address < '10.0.0.30'");
  await site.sql("UPDATE ipam.audit SET at = at - interval '10 days' WHERE kind = 'lease'");
  await site.store.commit([bind(open, stranger(1), "10.0.0.21")], "t");
  here.keeper({ keep: { tenancyDays: 5, auditDays: 5, audited: 30 } });
  await kept();
  await until(async () => (await site.sql("SELECT 1 FROM ipam.tenancy")).length === 11);
  await until(async () => (await site.sql("SELECT 1 FROM ipam.audit")).length <= 31);
  assert.deepEqual(await site.sql("SELECT 1 FROM ipam.tenancy WHERE closed_at < now() - interval '5 days'"), []);
});
