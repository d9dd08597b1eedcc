import { createStore, migrateIpam, type Store } from "@firstlight/ipam/store";
import { Client } from "pg";
import type { Sample } from "../harness/contract.ts";
import { median } from "../harness/figures.ts";

const MILLION = 1_000_000;
const MEASURE_MS = 4000;
const OPERATIONS_PER_TURN = 10;
/** Every tenth value is granted, so that the free values are in a hundred thousand ranges. */
const STEP = 10;

/** Pools that should cost the same: the name of the figure, the number of values, and whether the free values are fragmented. */
const POOLS = [
  ["usOfThousand", 1000, false],
  ["usOfMillion", MILLION, false],
  ["usOfMillionInPieces", MILLION, true],
] as const;

/**
 * Allocates and releases one value, each on disk. The figures are microseconds of both together, for a small, a large and a
 * fragmented pool: medians of turns that alternate among the pools.
 */
export async function measureResourcePools(url: string): Promise<Sample> {
  await migrateIpam(url);
  await using store = createStore({ url, name: "bench", poolSize: 2 });
  for (const [name, size, isFragmented] of POOLS) {
    await store.putPool({ name, is: "integer", ranges: [`1-${size}`], excluded: [] }, "bench");
    if (isFragmented) await grantEveryTenth(url, name);
    await allocateAndRelease(store, name, 50); // warm-up, until statements are planned and code is compiled
  }
  const tookMs = POOLS.map((): number[] => []);
  const began = performance.now();
  while (performance.now() - began < MEASURE_MS) {
    for (const [n, [name]] of POOLS.entries()) {
      const from = performance.now();
      await allocateAndRelease(store, name, OPERATIONS_PER_TURN);
      tookMs[n]!.push((performance.now() - from) / OPERATIONS_PER_TURN);
    }
  }
  const all = tookMs.flat();
  const extra = Object.fromEntries(POOLS.map(([name], n) => [name, Math.round(median(tookMs[n]!) * 1000)]));
  return {
    operations: all.length * OPERATIONS_PER_TURN,
    seconds: (performance.now() - began) / 1000,
    failed: 0,
    extra,
  };
}

async function allocateAndRelease(store: Store, pool: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const hint = String(1 + ((n * 19_997) % 1000)); // spread over the smallest pool
    const { value } = await store.allocate({ pool, owner: "bench", hint }, "bench");
    await store.release({ pool, value, owner: "bench" }, "bench");
  }
}

async function grantEveryTenth(url: string, pool: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const granted = `SELECT id, n FROM ipam.pool, generate_series($2::int, $3::int, $2::int) n WHERE name = $1`;
  await client.query(`INSERT INTO ipam.pool_grant (pool, slot, owner) SELECT id, n, 'o' || n FROM (${granted}) g`, [
    pool,
    STEP,
    MILLION,
  ]);
  await client.query("DELETE FROM ipam.pool_free WHERE pool = (SELECT id FROM ipam.pool WHERE name = $1)", [pool]);
  await client.query(
    `INSERT INTO ipam.pool_free (pool, free) SELECT id, numrange(n - $2::int + 1, n) FROM (${granted}) g`,
    [pool, STEP, MILLION],
  );
  await client.query("VACUUM ANALYZE ipam.pool_free, ipam.pool_grant");
  await client.end();
}
