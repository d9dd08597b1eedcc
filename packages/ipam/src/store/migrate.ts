import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import { Client } from "pg";

/** The plain SQL files, one after another. */
export const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));

/** Brings schema `ipam` to what this version needs; returns the names of the files it ran. */
export function migrateIpam(url: string): Promise<string[]> {
  return migrateSchema(url, "ipam", MIGRATIONS);
}

/**
 * Runs the plain SQL files of a folder that a schema has not seen. Forward only, all in one transaction; a second process
 * that starts at the same moment waits and then finds nothing to do.
 */
export async function migrateSchema(url: string, schema: string, dir: string): Promise<string[]> {
  // A connection of ours: the runner's own is left to close by itself, and an error on it then ends the process.
  const dbClient = new Client({ connectionString: url });
  dbClient.on("error", () => {}); // the statement under way says it
  try {
    await dbClient.connect();
    const ran = await runner({
      dbClient,
      dir,
      direction: "up",
      migrationsSchema: schema,
      createMigrationsSchema: true,
      migrationsTable: "migration",
      advisoryLockMode: "wait",
      singleTransaction: true,
      log: () => {},
    });
    return ran.map(({ name }) => name);
  } finally {
    await dbClient.end();
  }
}
