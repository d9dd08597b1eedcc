import { Client } from "pg";

/**
 * Copies every row of schema `ipam`. The returned function restores these rows, as loading a dump into the same cluster does:
 * connections stay open, so that only the rows show the restore.
 */
export async function backup(url: string): Promise<() => Promise<void>> {
  const tables = await inOwnConnection(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'ipam' ORDER BY 1",
    );
    await client.query(
      "BEGIN ISOLATION LEVEL REPEATABLE READ; DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup",
    );
    for (const { name } of rows) await client.query(`CREATE TABLE backup.${name} AS SELECT * FROM ipam.${name}`);
    await client.query("COMMIT");
    return rows.map(({ name }) => name);
  });
  return () =>
    inOwnConnection(url, async (client) => {
      await client.query("BEGIN; SET LOCAL session_replication_role = replica"); // no foreign keys are checked, so the order of the tables does not matter
      await client.query(`TRUNCATE ${tables.map((name) => `ipam.${name}`).join(", ")}`);
      for (const name of tables)
        await client.query(`INSERT INTO ipam.${name} OVERRIDING SYSTEM VALUE SELECT * FROM backup.${name}`);
      await client.query("COMMIT");
    });
}

async function inOwnConnection<T>(url: string, act: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await act(client);
  } finally {
    await client.end();
  }
}
