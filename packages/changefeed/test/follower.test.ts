/** A registry that the feed does not know: its rows and events are published and followed like those of any owner. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { type Applied, Follower } from "../src/index.ts";
import {
  append,
  putMachine,
  type Toy,
  toy,
  type ToyChange,
  type ToyEvents,
  ToyReplica,
  type ToyRow,
  ToyRows,
  until,
} from "./toy.ts";

const parts = new AsyncDisposableStack();
after(() => parts.disposeAsync());

async function followed(
  site: Toy,
): Promise<{ readonly replica: ToyReplica; readonly follower: Follower<ToyRow, ToyEvents, ToyRows> }> {
  const replica = new ToyReplica({ now: Date.now });
  const options = { clock: { now: Date.now }, retryMs: () => 20, pollMs: 10 };
  const follower = new Follower(replica, () => new ToyRows(), site.source, options);
  parts.defer(() => follower.stop());
  await follower.start(5000);
  return { replica, follower };
}

test("rows of two kinds, events and audit entries reach a reader in one order, each as what it is", async () => {
  const site = parts.use(await toy());
  await site.put("m1", "new");
  site.sequencer();
  await site.drained();
  const { replica } = await followed(site);
  assert.equal(replica.stateOf("m1"), "new", "loaded");
  const seen: Applied<ToyRow, ToyEvents>[] = [];
  using _ = replica.follow((event) => event.is === "changes" && seen.push(...event.changes));

  await site.write(async (client) => {
    await putMachine(client, "m1", "booting", "daemon/toy");
    const { rows } = await client.query(
      `INSERT INTO toy.bmc AS b (id, machine) VALUES (7, 'm1') RETURNING to_jsonb(b) AS "row"`,
    );
    await append.changes(client, "bmc", [rows[0].row], { actor: "daemon/toy", dns: false });
    await append.events(client, "boot", [{ event: { machine: "m1", step: "rom" }, trace: "t1" }], "daemon/toy");
    await append.audit(client, "visit", "m1", { by: "operator" }, "operator/root");
  });
  await until(() => seen.length === 4);
  assert.deepEqual(
    seen.map(({ is, kind, key }) => [is, kind, key]),
    [
      ["row", "machine", "m1"],
      ["row", "bmc", "7"],
      ["event", "boot", "m1"],
      ["unread", "visit", "m1"],
    ],
  );
  const [machine, , boot] = seen;
  assert.ok(machine?.is === "row" && machine.before?.kind === "machine");
  assert.equal(machine.before.state, "new", "with the row it replaced");
  assert.ok(boot?.is === "event");
  assert.deepEqual([boot.event, boot.trace, boot.dns], [{ machine: "m1", step: "rom" }, "t1", false]);
  assert.equal(replica.stateOf("m1"), "booting");
  assert.equal(replica.bmcOf("m1"), 7);
});

test("a transaction that is rolled back leaves nothing in the feed", async () => {
  const site = parts.use(await toy());
  site.sequencer();
  const failed = site.write(async (client) => {
    await putMachine(client, "m1", "new", "t");
    await client.query("ROLLBACK");
  });
  await failed;
  await site.put("m2", "new");
  await site.drained();
  assert.deepEqual(
    (await site.feed()).map(({ key, position }) => [key, position]),
    [["m2", 1]],
  );
});

test("a deleted row leaves a tombstone: an older copy does not come back, a newer one does", async () => {
  const site = parts.use(await toy());
  site.sequencer();
  await site.put("m1", "new");
  await site.drained();
  const { replica } = await followed(site);
  await site.write(async (client) => {
    const { rows } = await client.query(`DELETE FROM toy.machine m RETURNING to_jsonb(m) AS "row"`);
    await append.tombstones(client, "machine", [rows[0].row], "t");
  });
  await until(() => replica.stateOf("m1") === undefined);
  const { epoch, position } = replica.at;
  const late = {
    is: "row",
    kind: "machine",
    key: "m1",
    dns: false,
    at: 0,
    actor: "t",
    position: position + 1,
  } as const;
  assert.equal(
    replica.apply([{ ...late, version: 1, row: { kind: "machine", name: "m1", state: "old", version: 1 } }]),
    "applied",
  );
  assert.equal(replica.stateOf("m1"), undefined);
  replica.at = { epoch, position };
  await site.put("m1", "again");
  await until(() => replica.stateOf("m1") === "again");
});

test("an older version that comes after a newer one is not applied, and a missing position applies nothing", () => {
  const replica = new ToyReplica({ now: Date.now });
  replica.swap(new ToyRows(), { epoch: "e", position: 0 }, 0);
  assert.equal(replica.apply([change(1, 5, "newer"), change(2, 4, "older")]), "applied");
  assert.equal(replica.stateOf("m1"), "newer");
  assert.equal(replica.apply([change(4, 6, "newest")]), "gap");
  assert.deepEqual([replica.stateOf("m1"), replica.at.position], ["newer", 2]);
  assert.equal(replica.apply([change(2, 9, "again"), change(3, 6, "newest")]), "applied");
  assert.equal(replica.stateOf("m1"), "newest", "what was applied before is skipped");
});

/** A change of machine `m1`. */
function change(position: number, version: number, state: string): ToyChange {
  const row = { kind: "machine", name: "m1", state, version } as const;
  return { is: "row", kind: "machine", key: "m1", dns: true, at: 0, actor: "t", position, version, row };
}

test("a reader ahead of the feed keeps its rows, and its high-water mark begins a new epoch beyond it", async () => {
  const site = parts.use(await toy());
  const first = site.sequencer();
  for (let n = 0; n < 5; n++) {
    await site.put(`m${n}`, "new");
    await site.drained(); // a round of its own, so that the head has a row for each position
  }
  await first[Symbol.asyncDispose]();
  const { replica, follower } = await followed(site);
  const { position } = replica.at;
  await site.sql("DELETE FROM ipam.feed WHERE position > $1", [position - 2]);
  await site.sql("DELETE FROM ipam.change WHERE position > $1", [position - 2]);
  await until(() => follower.outage?.fault !== undefined);
  assert.match(follower.outage?.fault ?? "", new RegExp(`restored to position \\d+, before ${position}:`));
  assert.deepEqual([replica.stateOf("m4"), replica.at.position], ["new", position]);
  site.sequencer();
  await until(() => follower.outage === undefined && replica.at.position > position);
  assert.ok(replica.at.position >= position + 2 ** 20);
});
