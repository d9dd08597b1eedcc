import { createStore, migrateIpam, type Store } from "@firstlight/ipam/store";
import { Client } from "pg";
import type { Sample } from "../harness/contract.ts";
import { median } from "../harness/figures.ts";

const MILLION = 1_000_000;
const MOST_MS = 4000;
const TURNS = 10;
/** Every tenth value is given, so that what is free lies in a hundred thousand pieces. */
const STEP = 10;

/** The pools whose cost should be alike, by what the report calls it: their values, and whether they are in pieces. */
const POOLS = [
  ["usOfThousand", 1000, false],
  ["usOfMillion", MILLION, false],
  ["usOfMillionInPieces", MILLION, true],
] as const;

/**
 * A value taken and given back, each on disk. Microseconds of both together for a small pool, a large one, and one in
 * pieces: the median of their turns, which are taken by turns.
 */
export async function pooling(url: string): Promise<Sample> {
  await migrateIpam(url);
  await using store = createStore({ url, name: "bench", poolSize: 2 });
  for (const [name, size, isInPieces] of POOLS) {
    await store.putPool({ name, is: "integer", ranges: [`1-${size}`], excluded: [] }, "bench");
    if (isInPieces) await giveEveryTenth(url, name);
    await turns(store, name, 50); // what runs below is planned and compiled
  }
  const took = POOLS.map((): number[] => []);
  const began = performance.now();
  while (performance.now() - began < MOST_MS) {
    for (const [n, [name]] of POOLS.entries()) {
      const from = performance.now();
      await turns(store, name, TURNS);
      took[n]!.push((performance.now() - from) / TURNS);
    }
  }
  const all = took.flat();
  const extra = Object.fromEntries(POOLS.map(([name], n) => [name, Math.round(median(took[n]!) * 1000)]));
  return { operations: all.length * TURNS, seconds: (performance.now() - began) / 1000, failed: 0, extra };
}

async function turns(store: Store, pool: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const hint = String(1 + ((n * 19_997) % 1000)); // all over the smallest of them
    const { value } = await store.allocate({ pool, owner: "bench", hint }, "bench");
    await store.release({ pool, value, owner: "bench" }, "bench");
  }
}

async function giveEveryTenth(url: string, pool: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const given = `SELECT id, n FROM ipam.pool, generate_series($2::int, $3::int, $2::int) n WHERE name = $1`;
  await client.query(`INSERT INTO ipam.pool_grant (pool, slot, owner) SELECT id, n, 'o' || n FROM (${given}) g`, [
    pool,
    STEP,
    MILLION,
  ]);
  await client.query("DELETE FROM ipam.pool_free WHERE pool = (SELECT id FROM ipam.pool WHERE name = $1)", [pool]);
  await client.query(
    `INSERT INTO ipam.pool_free (pool, free) SELECT id, numrange(n - $2::int + 1, n) FROM (${given}) g`,
    [pool, STEP, MILLION],
  );
  await client.query("VACUUM ANALYZE ipam.pool_free, ipam.pool_grant");
  await client.end();
}
