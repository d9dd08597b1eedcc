import type { BootEvent, EventKind } from "@firstlight/api-client";
import type { Pool, PoolClient } from "pg";

/** The ring that keeps an event: a machine's, or one of the small rings for unknown clients. */
export type Ring = { readonly machine: string } | { readonly unknown: number };

export interface Entry {
  readonly event: BootEvent;
  readonly ring: Ring;
}

/** The number of rings for unknown clients, chosen by relay: one noisy relay does not push out the events of the others. */
const UNKNOWN_RINGS = 16;

export function unknownRing(event: BootEvent): Ring {
  const relay = event.detail?.["relay"] ?? "";
  let hash = 0;
  for (let i = 0; i < relay.length; i++) hash = (Math.imul(hash, 31) + relay.charCodeAt(i)) >>> 0;
  return { unknown: hash % UNKNOWN_RINGS };
}

export interface RingSizes {
  readonly machine: number;
  readonly unknown: number;
}

/**
 * Stores new events in order and deletes the oldest of each ring. This transaction has locked the machines; the rings of unknown
 * clients are locked here, after them, in one order.
 */
export async function record(client: PoolClient, entries: readonly Entry[], sizes: RingSizes): Promise<BootEvent[]> {
  const unknown = [...new Set(entries.flatMap(({ ring }) => ("unknown" in ring ? [ring.unknown] : [])))].toSorted(
    (a, b) => a - b,
  );
  if (unknown.length > 0) {
    await client.query(
      "INSERT INTO api.unknown_ring (ring, recorded) SELECT unnest($1::int[]), 0 ON CONFLICT DO NOTHING",
      [unknown],
    );
    await client.query("SELECT FROM api.unknown_ring WHERE ring = ANY($1) ORDER BY ring FOR UPDATE", [unknown]);
  }
  const fresh = await withoutKnown(client, entries);
  await append(
    client,
    MACHINES,
    fresh.flatMap(({ event, ring }) => ("machine" in ring ? [[ring.machine, event] as const] : [])),
    sizes.machine,
  );
  await append(
    client,
    UNKNOWN,
    fresh.flatMap(({ event, ring }) => ("unknown" in ring ? [[ring.unknown, event] as const] : [])),
    sizes.unknown,
  );
  return fresh.map(({ event }) => event);
}

async function withoutKnown(client: PoolClient, entries: readonly Entry[]): Promise<Entry[]> {
  const byId = new Map(entries.toReversed().map((entry) => [entry.event.id, entry])); // the first of equal ids counts
  const { rows } = await client.query<{ id: string }>("SELECT id FROM api.machine_event WHERE id = ANY($1)", [
    [...byId.keys()],
  ]);
  for (const { id } of rows) byId.delete(id);
  return entries.filter((entry) => byId.get(entry.event.id) === entry);
}

/** The two kinds of ring, and where their counters are. */
const MACHINES = { table: "api.machine", id: "id", column: "machine", type: "uuid" } as const;
const UNKNOWN = { table: "api.unknown_ring", id: "ring", column: "ring", type: "int" } as const;

/** Three statements for any number of rings. */
async function append(
  client: PoolClient,
  { table, id, column, type }: typeof MACHINES | typeof UNKNOWN,
  told: readonly (readonly [string | number, BootEvent])[],
  size: number,
): Promise<void> {
  if (told.length === 0) return;
  const counts = new Map<string | number, number>();
  for (const [key] of told) counts.set(key, (counts.get(key) ?? 0) + 1);
  const grown = await client.query<{ key: string | number; recorded: number }>(
    `UPDATE ${table} r SET recorded = recorded + c.n FROM unnest($1::${type}[], $2::int[]) AS c (key, n)
      WHERE r.${id} = c.key RETURNING c.key, r.recorded`,
    [[...counts.keys()], [...counts.values()]],
  );
  const next = new Map(grown.rows.map(({ key, recorded }) => [key, recorded - counts.get(key)!]));
  const rows = told.map(([key, event]) => {
    const seq = next.get(key)! + 1;
    next.set(key, seq);
    return { ...event, key, seq };
  });
  await client.query(
    `INSERT INTO api.machine_event (id, ${column}, seq, at, kind, mac, address, because, trace, detail)
     SELECT id, key, seq, to_timestamp(at / 1000.0), kind, mac, address, because, trace, detail
       FROM json_to_recordset($1::json) AS e (id text, key ${type}, seq bigint, at float8, kind text, mac text, address text,
            because text, trace text, detail jsonb)
     ON CONFLICT (id) DO NOTHING`,
    [JSON.stringify(rows)],
  );
  await client.query(
    `DELETE FROM api.machine_event e USING unnest($1::${type}[], $2::bigint[]) AS old (key, seq)
      WHERE e.${column} = old.key AND e.seq <= old.seq`,
    [grown.rows.map(({ key }) => key), grown.rows.map(({ recorded }) => recorded - size)],
  );
}

interface Columns {
  id: string;
  at: Date;
  kind: EventKind;
  mac: string | null;
  address: string | null;
  because: string | null;
  trace: string | null;
  detail: Record<string, string> | null;
}

/** The newest `limit` events, oldest first: of a machine, or of the MAC of a client that is none. */
export async function timeline(
  pool: Pool,
  of: { machine: string } | { mac: string },
  limit: number,
): Promise<BootEvent[]> {
  const [where, key] = "machine" in of ? ["machine = $1", of.machine] : ["ring IS NOT NULL AND mac = $1", of.mac];
  const { rows } = await pool.query<Columns>(
    `SELECT id, at, kind, mac, address, because, trace, detail FROM api.machine_event
      WHERE ${where} ORDER BY at DESC, seq DESC LIMIT $2`,
    [key, limit],
  );
  return rows.map(fromRow).toReversed();
}

function fromRow(row: Columns): BootEvent {
  const { mac, address, because, trace, detail } = row;
  return {
    id: row.id,
    at: row.at.getTime(),
    kind: row.kind,
    ...(mac !== null && { mac }),
    ...(address !== null && { address }),
    ...(because !== null && { because }),
    ...(trace !== null && { trace }),
    ...(detail !== null && { detail }),
  };
}
