import { migrateApi } from "@firstlight/api";
import { migrateIpam } from "@firstlight/ipam/store";

/** Brings both schemas to this version; returns the names of the migrations that were run. Several callers wait for one another. */
export async function migrate(url: string): Promise<string[]> {
  const ipam = await migrateIpam(url);
  const api = await migrateApi(url);
  return [...ipam.map((name) => `ipam/${name}`), ...api.map((name) => `api/${name}`)];
}
