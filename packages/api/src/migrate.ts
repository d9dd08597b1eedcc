import { join } from "node:path";
import { runner } from "node-pg-migrate";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Brings schema `api` of the database to this version. Forward only; several callers at once wait for one another. */
export async function migrateApi(url: string): Promise<string[]> {
  const done = await runner({
    databaseUrl: url,
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
}
