import type { Pool } from "pg";
import { transaction } from "../database.ts";
import type { Expected } from "./expected.ts";

const CHUNK = 2_000;

/**
 * Creates the expected machines whose name and MACs are all unknown, in a few statements: a site with ten thousand machines starts in a
 * second. Returns their ids. Machines that another process has created meanwhile are left alone.
 */
export async function enrolNew(pool: Pool, devices: readonly Expected[]): Promise<string[]> {
  const ids: string[] = [];
  for (const part of chunks(devices)) ids.push(...(await enrol(pool, part)));
  return ids;
}

async function enrol(pool: Pool, devices: readonly Expected[]): Promise<string[]> {
  const macs = devices.map(({ mac }) => mac);
  const names = devices.map(({ machine }) => machine);
  return transaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string; name: string }>(
      `INSERT INTO api.machine (name, serial, expected)
       SELECT d.name, max(d.serial), true FROM unnest($1::text[], $2::text[], $3::text[]) AS d (mac, name, serial)
        GROUP BY d.name
       HAVING NOT EXISTS (SELECT FROM api.machine m WHERE m.name = d.name)
          AND NOT EXISTS (SELECT FROM api.machine_interface i WHERE i.mac = ANY(array_agg(d.mac)))
          AND NOT EXISTS (SELECT FROM api.machine_event e WHERE e.ring IS NOT NULL AND e.mac = ANY(array_agg(d.mac)))
        ORDER BY d.name
       ON CONFLICT (name) DO NOTHING RETURNING id, name`,
      [macs, names, devices.map(({ serial }) => serial ?? null)],
    );
    await client.query(
      `INSERT INTO api.machine_interface (mac, machine, role)
       SELECT d.mac, m.id, d.role
         FROM unnest($1::text[], $2::text[], $3::text[]) AS d (mac, name, role)
         JOIN unnest($4::text[], $5::uuid[]) AS m (name, id) USING (name)
        ORDER BY d.mac ON CONFLICT (mac) DO NOTHING`,
      [macs, names, devices.map(({ role }) => role), rows.map(({ name }) => name), rows.map(({ id }) => id)],
    );
    return rows.map(({ id }) => id);
  });
}

/** The expected devices that the roster does not have, or has otherwise. */
export async function unlike(pool: Pool, devices: readonly Expected[]): Promise<Expected[]> {
  const different: Expected[] = [];
  for (const part of chunks(devices)) {
    const { rows } = await pool.query<{ mac: string; role: string; name: string; serial: string | null }>(
      `SELECT i.mac, i.role, m.name, m.serial FROM api.machine_interface i JOIN api.machine m ON m.id = i.machine AND m.expected
        WHERE i.mac = ANY($1)`,
      [part.map(({ mac }) => mac)],
    );
    const known = new Map(rows.map((row) => [row.mac, row]));
    different.push(
      ...part.filter(({ mac, machine, role, serial }) => {
        const row = known.get(mac);
        return row?.name !== machine || row.role !== role || (serial !== undefined && row.serial !== serial);
      }),
    );
  }
  return different;
}

/** Splits the devices into bounded parts. A machine whose devices are in two parts takes the slower path. */
function* chunks(devices: readonly Expected[]): Generator<readonly Expected[]> {
  for (let at = 0; at < devices.length; at += CHUNK) yield devices.slice(at, at + CHUNK);
}
