import assert from "node:assert/strict";
import { test } from "node:test";
import { testDatabase } from "@firstlight/kit/postgres";
import { Client } from "pg";
import { listMachines } from "../src/machine/rows.ts";
import { migrateApi } from "../src/migrate.ts";

const MACHINES = 5_000;
const PAGE = 50;

interface Plan {
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly Plan[];
}

/** Rows of the table of machines that a plan read. */
function visited(plan: Plan): number {
  const own = plan["Relation Name"] === "machine" ? plan["Actual Rows"] + (plan["Rows Removed by Filter"] ?? 0) : 0;
  return (plan.Plans ?? []).reduce((sum, part) => sum + visited(part), own);
}

test("a page of machines reads as many rows as it shows, of all or of one state", async () => {
  await using database = await testDatabase();
  await migrateApi(database.url);
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO api.machine (name, expected, state)
       SELECT 'm' || lpad(n::text, 5, '0'), true, CASE WHEN n % 100 = 0 THEN 'ready' ELSE 'discovered' END
       FROM generate_series(1, $1::int) n`,
      [MACHINES],
    );
    await client.query("ANALYZE api.machine");
    let rows = 0;
    const explaining = {
      async query(text: string, values: unknown[]) {
        const { rows: plans } = await client.query<{ "QUERY PLAN": { Plan: Plan }[] }>(
          `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
          values,
        );
        rows = visited(plans[0]!["QUERY PLAN"][0]!.Plan);
        return client.query(text, values);
      },
    } as unknown as Client;
    const page = await listMachines(explaining, { after: "m02000", limit: PAGE });
    assert.deepEqual([page[0]?.name, page.length, rows], ["m02001", PAGE, PAGE]);
    const ready = await listMachines(explaining, { state: "ready", after: "m02000", limit: 10 });
    assert.deepEqual([ready[0]?.name, ready.length, rows], ["m02100", 10, 10]);
  } finally {
    await client.end();
  }
});
