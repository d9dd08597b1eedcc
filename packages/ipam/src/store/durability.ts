import { Client } from "pg";
import { clientOptions, type DatabaseOptions } from "../database/connections.ts";

/** Settings of the database that are off, and without which an acknowledged lease may be lost at a power cut. */
export async function undurable(database: DatabaseOptions): Promise<string[]> {
  const client = new Client(clientOptions(database));
  client.on("error", () => {}); // the statement under way says it
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      `SELECT name FROM pg_settings WHERE setting = 'off'
       AND name IN ('fsync', 'synchronous_commit', 'full_page_writes') ORDER BY name`,
    );
    return rows.map(({ name }) => name);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The same in words, for people. */
export const warningOf = (settings: readonly string[]): string =>
  `WARNING: ${settings.join(" AND ")} OFF AT THE DATABASE: A POWER CUT MAY LOSE ACKNOWLEDGED LEASES, AND GIVE THEIR ADDRESSES TWICE`;

/** Warns if the database acknowledges commits that a power cut may lose. */
export async function warnOfDurability(
  database: DatabaseOptions,
  log: { warn(fields: object, message: string): void },
): Promise<void> {
  const settings = await undurable(database).catch(() => []); // away: the replica's readiness says so
  if (settings.length > 0) log.warn({ undurable: settings }, warningOf(settings));
}
