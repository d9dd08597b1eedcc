import { join } from "node:path";
import { runner } from "node-pg-migrate";
import { Client } from "pg";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Brings schema `api` of the database to this version. Forward only; several callers at once wait for one another. */
export async function migrateApi(url: string): Promise<string[]> {
  // A connection of ours: the runner's own is left to close by itself, and an error on it then ends the process.
  const dbClient = new Client({ connectionString: url });
  dbClient.on("error", () => {}); // the statement under way says it
  try {
    await dbClient.connect();
    const done = await runner({
      dbClient,
      dir: join(import.meta.dirname, "../migrations"),
      direction: "up",
      schema: ["api"],
      createSchema: true,
      migrationsSchema: "api",
      createMigrationsSchema: true,
      migrationsTable: "migration",
      advisoryLockMode: "wait",
      logger: quiet,
    });
    return done.map(({ name }) => name);
  } finally {
    await dbClient.end();
  }
}
