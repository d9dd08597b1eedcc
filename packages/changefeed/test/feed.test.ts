/** The feed's order: gapless positions in commit order of each row, whoever holds a transaction open or loses leadership. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { Client } from "pg";
import { heldOpen, putMachine, type ToyChange, toy, until } from "./toy.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

function mustBeGapless(changes: readonly ToyChange[]): void {
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

test("a transaction that stays open delays no other, leaves no gap, and is sequenced when it commits", async () => {
  const site = parts.use(await toy());
  const held = await heldOpen(site.url, "held");
  site.sequencer();
  await Promise.all(Array.from({ length: 30 }, (_, n) => site.put(`m${n}`, "new")));
  await until(async () => (await site.feed()).length === 30);
  mustBeGapless(await site.feed());
  await held.commit();
  await until(async () => (await site.feed()).at(-1)?.actor === "held");
  mustBeGapless(await site.feed());
});

test("of two transactions the one that began first and commits last is sequenced last, with the newer row", async () => {
  const site = parts.use(await toy());
  const early = new Client({ connectionString: site.url });
  await early.connect();
  await early.query("BEGIN");
  await early.query("SELECT pg_current_xact_id()"); // the lower transaction id
  site.sequencer();
  const late = await heldOpen(site.url, "one");
  await late.commit();
  await until(async () => (await site.feed()).at(-1)?.actor === "held");
  await putMachine(early, "one", "newer", "early");
  await early.query("COMMIT");
  await early.end();
  await until(async () => (await site.feed()).at(-1)?.actor === "early");
  const changes = await site.feed();
  mustBeGapless(changes);
  const last = changes.at(-1);
  assert.ok(last?.is === "row" && last.row?.kind === "machine" && last.row.state === "newer");
});

test("writers that change the same rows in any order leave each row's versions in order", async () => {
  const site = parts.use(await toy());
  site.sequencer();
  const names = Array.from({ length: 12 }, (_, n) => `m${n}`);
  for (let round = 0; round < 8; round++) {
    const forth = names.map((name) => site.put(name, `${round}`, "a"));
    const back = names.toReversed().map((name) => site.put(name, `${round}`, "b"));
    await Promise.all([...forth, ...back]);
  }
  await site.drained();
  const changes = await site.feed();
  mustBeGapless(changes);
  assert.equal(changes.length, 12 * 16);
});

test("leadership passes on when the leader's connection dies, and no change is lost or sequenced twice", async () => {
  const site = parts.use(await toy());
  const two = [site.sequencer(), site.sequencer()];
  const leaders = (): number => two.filter(({ isLeader }) => isLeader).length;
  for (let round = 0; round < 3; round++) {
    await until(() => leaders() === 1);
    const writing = Array.from({ length: 10 }, (_, n) => site.put(`m${round * 10 + n}`, "new"));
    await site.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1179403604 AND objid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    await Promise.all(writing);
  }
  await site.drained();
  const changes = await site.feed();
  mustBeGapless(changes);
  assert.equal(changes.length, 30);
  assert.ok(leaders() <= 1);
});

test("in another history of the database a new epoch begins, far ahead, and readers must load anew", async () => {
  const site = parts.use(await toy());
  const first = site.sequencer();
  await site.put("before", "new");
  await site.drained();
  await first[Symbol.asyncDispose]();
  const before = await site.source.load();
  for await (const _ of before.rows);
  await site.put("waiting", "new"); // in the outbox of the restored database
  await site.sql("UPDATE ipam.feed SET system_identifier = system_identifier + 1");

  const second = site.sequencer();
  await until(() => second.isLeader);
  const pulled = await site.source.changes(before.at, 10);
  assert.ok(pulled.is === "epoch");
  assert.notEqual(pulled.now.epoch, before.at.epoch);
  assert.equal(pulled.now.position, before.at.position + 2 ** 20 + 1, "the outbox has the first position");
  const anew = await site.source.load();
  assert.equal(anew.dnsPosition, anew.at.position, "serials never go back");
  const names: string[] = [];
  for await (const rows of anew.rows) for (const row of rows) if (row.kind === "machine") names.push(row.name);
  assert.deepEqual(names.toSorted(), ["before", "waiting"]);

  await site.put("after", "new");
  await site.drained();
  const next = await site.source.changes(anew.at, 10);
  assert.ok(next.is === "changes");
  assert.deepEqual(
    next.changes.map(({ key, position }) => [key, position - anew.at.position]),
    [["after", 1]],
  );
});

test("a reader behind the trim point loads anew, one ahead of it goes on", async () => {
  const site = parts.use(await toy());
  const [{ epoch } = { epoch: "" }] = await site.sql<{ epoch: string }>("SELECT epoch FROM ipam.feed");
  const first = site.sequencer();
  for (let n = 0; n < 20; n++) await site.put(`m${n}`, "new");
  await site.drained();
  const total = (await site.feed()).length;
  await first[Symbol.asyncDispose]();
  const second = site.sequencer({ keep: 5 });
  await until(() => second.isLeader);
  await until(async () => (await site.sql("SELECT 1 FROM ipam.change")).length === 5);
  assert.deepEqual(await site.source.changes({ epoch, position: 1 }, 10), {
    is: "epoch",
    now: { epoch, position: total - 5 },
  });
  const pulled = await site.source.changes({ epoch, position: total - 5 }, 10);
  assert.ok(pulled.is === "changes" && pulled.changes.length === 5);
  assert.equal((await site.sql("SELECT 1 FROM ipam.feed")).length, 1);
});

test("a wait ends with the notification, not with its time", async () => {
  const site = parts.use(await toy());
  site.sequencer({ pollMs: 60_000 });
  const { signal } = new AbortController();
  const began = performance.now();
  await site.source.wait(50, signal); // connects
  for (let n = 0; n < 3; n++) {
    await site.put(`m${n}`, "new");
    await site.source.wait(60_000, signal);
  }
  assert.ok(performance.now() - began < 50_000, "the notification came");
});
