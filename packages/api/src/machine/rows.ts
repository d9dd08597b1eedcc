import type { MachineState } from "@firstlight/api-client";
import type { Pool, PoolClient } from "pg";
import type { Machine, MachineInterface } from "./lifecycle.ts";

/** A machine with the fields that only operators see. */
export interface MachineRow extends Machine {
  readonly expected: boolean;
  readonly serial?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Number of its newest event. */
  readonly recorded: number;
}

type Queryable = Pick<Pool | PoolClient, "query">;

const COLUMNS = `m.id, m.name, m.serial, m.expected, m.state, m.version, m.task, m.task_version, m.arrived, m.tenant, m.script,
  m.user_data, m.recorded, m.created_at, m.updated_at,
  (SELECT coalesce(json_agg(json_build_object('mac', i.mac, 'role', i.role) ORDER BY i.role, i.mac), '[]')
     FROM api.machine_interface i WHERE i.machine = m.id) AS interfaces`;

interface Columns {
  id: string;
  name: string;
  serial: string | null;
  expected: boolean;
  state: MachineState;
  version: number;
  task: number;
  task_version: number;
  arrived: string[];
  tenant: string | null;
  script: string | null;
  user_data: string | null;
  recorded: number;
  created_at: Date;
  updated_at: Date;
  interfaces: MachineInterface[];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** By id or by name. */
export async function findMachine(db: Queryable, idOrName: string): Promise<MachineRow | undefined> {
  const key = UUID.test(idOrName) ? "m.id" : "m.name";
  const { rows } = await db.query<Columns>(`SELECT ${COLUMNS} FROM api.machine m WHERE ${key} = $1`, [idOrName]);
  return rows[0] && fromRow(rows[0]);
}

/** The machines of these MACs, by MAC. */
export async function machinesOf(db: Queryable, macs: readonly string[]): Promise<Map<string, MachineRow>> {
  const { rows } = await db.query<Columns & { asked: string }>({
    name: "machinesOf",
    text: `SELECT p.mac AS asked, ${COLUMNS} FROM api.machine_interface p JOIN api.machine m ON m.id = p.machine WHERE p.mac = ANY($1)`,
    values: [macs],
  });
  return new Map(rows.map((row) => [row.asked, fromRow(row)]));
}

/** In the order of their names, after `after`. */
export async function listMachines(
  db: Queryable,
  { state, after = "", limit }: { state?: MachineState | undefined; after?: string; limit: number },
): Promise<MachineRow[]> {
  const isWanted = state === undefined ? "true" : "m.state = $3"; // each form reads a range of its own index
  const { rows } = await db.query<Columns>(
    `SELECT ${COLUMNS} FROM api.machine m
      WHERE m.name COLLATE "C" > $1 AND ${isWanted} ORDER BY m.name COLLATE "C" LIMIT $2`,
    [after, limit, ...(state === undefined ? [] : [state])],
  );
  return rows.map(fromRow);
}

/** Locks machines in one order, so that writers do not deadlock. */
export async function lockMachines(client: PoolClient, ids: readonly string[]): Promise<MachineRow[]> {
  await client.query("SELECT FROM api.machine WHERE id = ANY($1) ORDER BY id FOR UPDATE", [ids]);
  const { rows } = await client.query<Columns>(`SELECT ${COLUMNS} FROM api.machine m WHERE m.id = ANY($1)`, [ids]);
  return rows.map(fromRow);
}

/** Writes the changes of the lifecycle to any number of machines. This transaction has locked their rows. */
export async function saveMachines(client: PoolClient, machines: readonly Machine[]): Promise<void> {
  if (machines.length === 0) return;
  await client.query({
    name: "saveMachines",
    text: `UPDATE api.machine m SET state = c.state, version = c.version, task = c.task, task_version = c.task_version,
                  arrived = c.arrived, tenant = c.tenant, script = c.script, user_data = c.user_data, updated_at = now()
             FROM json_to_recordset($1::json) AS c (id uuid, state text, version bigint, task bigint, task_version bigint,
                  arrived text[], tenant text, script text, user_data text)
            WHERE m.id = c.id`,
    values: [JSON.stringify(machines.map(columnsOf))],
  });
}

function columnsOf({ id, state, version, task, taskVersion, arrived, tenant, script, userData }: Machine) {
  return { id, state, version, task, task_version: taskVersion, arrived, tenant, script, user_data: userData };
}

export async function countByState(db: Queryable): Promise<Partial<Record<MachineState, number>>> {
  const { rows } = await db.query<{ state: MachineState; count: number }>(
    "SELECT state, count(*) AS count FROM api.machine GROUP BY state",
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

function fromRow(row: Columns): MachineRow {
  return {
    id: row.id,
    name: row.name,
    state: row.state,
    version: row.version,
    task: row.task,
    taskVersion: row.task_version,
    arrived: row.arrived,
    interfaces: row.interfaces,
    expected: row.expected,
    recorded: row.recorded,
    createdAt: row.created_at.getTime(),
    updatedAt: row.updated_at.getTime(),
    ...(row.serial !== null && { serial: row.serial }),
    ...(row.tenant !== null && { tenant: row.tenant }),
    ...(row.script !== null && { script: row.script }),
    ...(row.user_data !== null && { userData: row.user_data }),
  };
}
