import assert from "node:assert/strict";
import test, { after } from "node:test";
import { createStore } from "../../../src/store/create.ts";
import { back, bind, ground, stranger } from "../../ground.ts";

const site = await ground();
after(() => site[Symbol.asyncDispose]());

/** Rows that whole-table scans have read so far, by table. Sessions report as they end. */
async function scanned(): Promise<Record<string, number>> {
  const rows = await site.sql<{ name: string; read: number }>(
    `SELECT relname AS name, seq_tup_read::int AS read FROM pg_stat_user_tables
     WHERE schemaname = 'ipam' AND relname IN ('lease', 'interface', 'expected_device') ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ name, read }) => [name, read]));
}

test("a connection that planned while the tables were empty still reads by key when they are not", async () => {
  const before = await scanned();
  const store = createStore({ url: site.url, name: "planner", poolSize: 1 });
  const six = site.segments["six"]!;
  for (let round = 0; round < 12; round++) {
    const macs = Array.from({ length: 20 }, (_, n) => 0x1000 + round * 20 + n);
    const outcomes = await store.commit(
      macs.map((n) => bind(six, stranger(n), `fd00::${n.toString(16)}`)),
      "test",
    );
    assert.deepEqual(new Set(outcomes.map(({ is }) => is)), new Set(["bound"]));
    await store.commit([bind(six, stranger(macs[0]!), `fd00::f:${macs[0]!.toString(16)}`)], "test"); // moves
    await store.commit([back("release", six, stranger(macs[1]!), `fd00::${macs[1]!.toString(16)}`)], "test");
    await store.lookup(stranger(macs[2]!));
    await store.commit([bind(site.segments["open"]!, stranger(macs[3]!), `10.0.0.${round + 20}`)], "test"); // moves away
  }
  await store[Symbol.asyncDispose]();
  assert.deepEqual(await scanned(), before);
});
