import { join } from "node:path";
import { migrateSchema } from "@firstlight/ipam/migrate";

/** Brings schema `api` of the database to what this version needs; returns the names of the files it ran. */
export function migrateApi(url: string): Promise<string[]> {
  return migrateSchema(url, "api", join(import.meta.dirname, "../migrations"));
}
