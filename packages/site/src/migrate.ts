import { migrateApi } from "@firstlight/api";
import { migrateIpam } from "@firstlight/ipam";
import { Client } from "pg";

/** Brings both schemas to this version; returns the names of the migrations that were run. Several callers wait for one another. */
export async function migrate(url: string): Promise<string[]> {
  const ipam = await migrateIpam(url);
  const api = await migrateApi(url);
  return [...ipam.map((name) => `ipam/${name}`), ...api.map((name) => `api/${name}`)];
}

/** Settings of the database server without which an acknowledged lease may be lost at a power cut. */
export async function undurable(url: string): Promise<string[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "select name from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') and setting = 'off' order by name",
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end();
  }
}
