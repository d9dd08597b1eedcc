import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";

/** The plain SQL files, one after another. */
export const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));

/**
 * Brings schema `ipam` to what this version needs; returns the names of the files it ran. Forward only, all in one
 * transaction; a second process that starts at the same moment waits and then finds nothing to do.
 */
export async function migrateIpam(url: string): Promise<string[]> {
  const ran = await runner({
    databaseUrl: url,
    dir: MIGRATIONS,
    direction: "up",
    migrationsSchema: "ipam",
    createMigrationsSchema: true,
    migrationsTable: "migration",
    advisoryLockMode: "wait",
    singleTransaction: true,
    log: () => {},
  });
  return ran.map(({ name }) => name);
}
