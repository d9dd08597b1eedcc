/** What a batch relies on without asking again, and what it takes back. */
import assert from "node:assert/strict";
import test, { after } from "node:test";
import { bind, ground, said, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());
const { store, sql } = site;
const [open, six] = [site.segments["open"]!, site.segments["six"]!];

const commit = async (n: number, address: string): Promise<string> =>
  said((await store.commit([bind(open, stranger(n), address)], "t"))[0]);

test("an edit holds from the next batch on, whoever made it and however", async () => {
  assert.equal(await commit(1, "10.0.0.50"), "bound 10.0.0.50");
  const prefix = { prefix: { address: 0x0a000000, length: 24 }, gateway: 0x0a000001, reserved: 3 };
  await site.anotherStore().updateSegment("open", { prefixes: [{ ...prefix, excluded: [0x0a000033] }] }, "operator");
  assert.equal(await commit(2, "10.0.0.51"), "address-not-assignable", "by another daemon");
  assert.equal(await commit(3, "10.0.0.52"), "bound 10.0.0.52");
  await sql("UPDATE ipam.prefix SET excluded = '{10.0.0.53}' WHERE prefix = '10.0.0.0/24'"); // as an older release would
  assert.equal(await commit(4, "10.0.0.53"), "address-not-assignable", "by a daemon of another release");
  assert.equal(await commit(5, "10.0.0.51"), "bound 10.0.0.51");
  await sql("UPDATE ipam.segment SET admission = 'expected' WHERE name = 'open'");
  assert.equal(await commit(6, "10.0.0.60"), "device-not-expected");
  await sql("UPDATE ipam.segment SET admission = 'open' WHERE name = 'open'");
});

test("an edit that is taken back changes nothing", async () => {
  const before = await sql("SELECT id FROM ipam.edition");
  await sql("BEGIN; UPDATE ipam.segment SET mtu = 9000; ROLLBACK");
  assert.deepEqual(await sql("SELECT id FROM ipam.edition"), before);
  await sql("UPDATE ipam.segment SET mtu = mtu");
  assert.notDeepEqual(await sql("SELECT id FROM ipam.edition"), before);
});

test("who loses an address at the last moment was never there: no interface, and no change that tells of one", async () => {
  const stores = [store, site.anotherStore(), site.anotherStore()];
  let lost = 0;
  for (let round = 0; round < 30; round++) {
    const address = `fd00::${(0x100 + round).toString(16)}`;
    const outcomes = await Promise.all(
      stores.map((each, n) => each.commit([bind(six, stranger(100 + round * 3 + n), address)], "t")),
    );
    const bound = outcomes.flat().filter(({ is }) => is === "bound");
    assert.equal(bound.length, 1, address);
    lost += outcomes.length - bound.length;
  }
  assert.equal(lost, 60);
  const alone = "NOT EXISTS (SELECT FROM ipam.lease l WHERE l.interface = i.id)";
  assert.deepEqual(await sql(`SELECT i.mac FROM ipam.interface i WHERE segment = $1 AND ${alone}`, [six]), []);
  assert.deepEqual(
    await sql(`SELECT key FROM ipam.change_pending c WHERE kind = 'interface' AND "row" IS NOT NULL
      AND NOT EXISTS (SELECT FROM ipam.interface i WHERE i.id::text = c.key)`),
    [],
  );
});

test("an outcome says what the tables hold, to the millisecond", async () => {
  const relay = { giaddr: 0x0a000401, circuitId: Uint8Array.of(0, 255), remoteId: Uint8Array.of(7) };
  const clientId = Uint8Array.of(1, 2, 3);
  for (const again of [false, true]) {
    const [outcome] = await store.commit([bind(six, stranger(900), "10.0.4.90", { relay, clientId })], "t");
    assert.ok(outcome?.is === "bound", String(again));
    const { interfaces, leases } = await store.lookup(stranger(900));
    assert.deepEqual([interfaces, leases], [[outcome.interface], [outcome.lease]]);
  }
});
