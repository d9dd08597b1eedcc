import type { Role } from "@firstlight/ipam";
import type { Pool, PoolClient } from "pg";
import { transaction } from "../database.ts";
import { enrolNew, unlike } from "./enrol.ts";
import type { Expected } from "./expected.ts";

/** Which machine a MAC belongs to: by the expected list, else a machine of its own. */
export interface Roster {
  /** Ids by MAC. A MAC not in `mayCreate` and not yet of a machine stays without. */
  resolve(macs: readonly string[], mayCreate: ReadonlySet<string>): Promise<Map<string, string>>;
  /** Machines and parts of the expected list; what is there already stays as it is. Returns ids of what changed. */
  expect(devices: readonly Expected[]): Promise<string[]>;
}

export interface RosterOptions {
  readonly pool: Pool;
  readonly maxUnexpected: number;
  /** What the IPAM expects of this MAC, for what was declared elsewhere than in this process. */
  readonly expected: (mac: string) => Expected | undefined;
}

export function createRoster({ pool, maxUnexpected, expected }: RosterOptions): Roster {
  async function expect(devices: readonly Expected[]): Promise<string[]> {
    const changed = await enrolNew(pool, devices);
    for (const [name, parts] of Map.groupBy(await unlike(pool, devices), ({ machine }) => machine)) {
      const id = await transaction(pool, (client) => expectMachine(client, name, parts));
      if (id !== undefined) changed.push(id);
    }
    return changed;
  }

  async function resolve(macs: readonly string[], mayCreate: ReadonlySet<string>): Promise<Map<string, string>> {
    const found = await lookUp(pool, macs);
    const missing = macs.filter((mac) => !found.has(mac)).toSorted(); // one order for everybody: no deadlock
    if (missing.length === 0) return found;
    await expect(missing.flatMap((mac) => expected(mac) ?? []));
    for (const mac of missing) {
      if (mayCreate.has(mac) && !expected(mac))
        await transaction(pool, (client) => createUnexpected(client, mac, maxUnexpected));
    }
    return lookUp(pool, macs);
  }

  return { resolve, expect };
}

async function lookUp(pool: Pool, macs: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await pool.query<{ mac: string; machine: string }>(
    "SELECT mac, machine FROM api.machine_interface WHERE mac = ANY($1)",
    [macs],
  );
  return new Map(rows.map(({ mac, machine }) => [mac, machine]));
}

async function expectMachine(
  client: PoolClient,
  name: string,
  parts: readonly Expected[],
): Promise<string | undefined> {
  const serial = parts.find((part) => part.serial !== undefined)?.serial ?? null;
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO api.machine AS m (name, serial, expected) VALUES ($1, $2, true)
     ON CONFLICT (name) DO UPDATE SET expected = true, serial = coalesce(excluded.serial, m.serial), version = m.version + 1,
       updated_at = now()
       WHERE NOT m.expected OR m.serial IS DISTINCT FROM coalesce(excluded.serial, m.serial)
     RETURNING id`,
    [name, serial],
  );
  const id =
    rows[0]?.id ??
    (await client.query<{ id: string }>("SELECT id FROM api.machine WHERE name = $1", [name])).rows[0]!.id;
  let isChanged = rows.length > 0;
  for (const { mac, role } of parts) isChanged = (await join(client, id, mac, role)) || isChanged;
  return isChanged ? id : undefined;
}

/** Makes a MAC part of this machine. The machine that the MAC was alone, if any, is deleted; its events move here. */
async function join(client: PoolClient, id: string, mac: string, role: Role): Promise<boolean> {
  const before = await client.query<{ machine: string; role: Role }>(
    "SELECT machine, role FROM api.machine_interface WHERE mac = $1 FOR UPDATE",
    [mac],
  );
  const was = before.rows[0];
  if (was?.machine === id && was.role === role) return false;
  await client.query(
    `INSERT INTO api.machine_interface (mac, machine, role) VALUES ($1, $2, $3)
     ON CONFLICT (mac) DO UPDATE SET machine = excluded.machine, role = excluded.role`,
    [mac, id, role],
  );
  await adopt(client, id, mac, was?.machine);
  if (was && was.machine !== id) {
    await client.query(
      `DELETE FROM api.machine m WHERE m.id = $1 AND NOT m.expected
         AND NOT EXISTS (SELECT FROM api.machine_interface i WHERE i.machine = m.id)`,
      [was.machine],
    );
  }
  return true;
}

async function createUnexpected(client: PoolClient, mac: string, most: number): Promise<void> {
  const { rows: full } = await client.query("SELECT FROM api.machine WHERE NOT expected OFFSET $1 LIMIT 1", [
    Math.max(0, most - 1),
  ]);
  if (full.length > 0 || most === 0) return;
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO api.machine AS m (name, expected) VALUES ($1, false)
     ON CONFLICT (name) DO UPDATE SET name = m.name WHERE NOT m.expected RETURNING id`,
    [unexpectedName(mac)],
  );
  const id = rows[0]?.id;
  if (id === undefined) return; // a machine of this name is expected with other interfaces
  await client.query(
    "INSERT INTO api.machine_interface (mac, machine, role) VALUES ($1, $2, 'host') ON CONFLICT DO NOTHING",
    [mac, id],
  );
  await adopt(client, id, mac);
}

/** `m-02f100000001`: what a machine is called that nobody expected. */
function unexpectedName(mac: string): string {
  return `m-${mac.replaceAll(":", "")}`;
}

/** Moves the events that were reported of this MAC before it was part of this machine. */
async function adopt(client: PoolClient, id: string, mac: string, from?: string): Promise<void> {
  const { rows } = await client.query<{ recorded: number }>(
    `WITH told AS (
       SELECT id, row_number() OVER (ORDER BY at, seq) AS n FROM api.machine_event
        WHERE mac = $2 AND (ring IS NOT NULL OR machine = $3)
     ), grown AS (
       UPDATE api.machine SET recorded = recorded + (SELECT count(*) FROM told) WHERE id = $1 RETURNING recorded
     ), moved AS (
       UPDATE api.machine_event e SET machine = $1, ring = NULL,
              seq = (SELECT recorded FROM grown) - (SELECT count(*) FROM told) + told.n
         FROM told WHERE e.id = told.id RETURNING e.id
     ) SELECT recorded FROM grown`,
    [id, mac, from ?? null],
  );
  if (rows.length === 0) throw new Error("the machine went while its events were moved");
}
