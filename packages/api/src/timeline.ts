import type { BootEvent, EventKind } from "@firstlight/api-client";
import type { Pool, PoolClient } from "pg";

/** Where an event is kept: a machine's ring, or one of the small ones of the unknown. */
export type Ring = { readonly machine: string } | { readonly unknown: number };

export interface Entry {
  readonly event: BootEvent;
  readonly ring: Ring;
}

/** How many rings the unknown share, by relay: one noisy relay does not push out what the others' clients did. */
export const UNKNOWN_RINGS = 16;

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
 * Stores the events that are new, in order, and lets each ring forget its oldest. The machines are locked by this
 * transaction; the rings of the unknown are locked here, after them, in one order for everybody.
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
  for (const group of Map.groupBy(fresh, ({ ring }) => JSON.stringify(ring)).values()) {
    await append(
      client,
      group[0]!.ring,
      group.map(({ event }) => event),
      sizes,
    );
  }
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

async function append(client: PoolClient, ring: Ring, events: readonly BootEvent[], sizes: RingSizes): Promise<void> {
  const [table, key, column, size] =
    "machine" in ring
      ? (["api.machine", ring.machine, "machine", sizes.machine] as const)
      : (["api.unknown_ring", ring.unknown, "ring", sizes.unknown] as const);
  const grown = await client.query<{ recorded: number }>(
    `UPDATE ${table} SET recorded = recorded + $2 WHERE ${column === "machine" ? "id" : "ring"} = $1 RETURNING recorded`,
    [key, events.length],
  );
  const end = grown.rows[0]!.recorded;
  await client.query(
    `INSERT INTO api.machine_event (id, ${column}, seq, at, kind, mac, address, because, trace, detail)
     SELECT e.id, $1, $2::bigint + e.n, to_timestamp(e.at / 1000.0), e.kind, e.mac, e.address, e.because, e.trace, e.detail
       FROM ROWS FROM (json_to_recordset($3::json) AS (id text, at float8, kind text, mac text, address text, because text,
              trace text, detail jsonb)) WITH ORDINALITY AS e (id, at, kind, mac, address, because, trace, detail, n)
     ON CONFLICT (id) DO NOTHING`,
    [key, end - events.length, JSON.stringify(events)],
  );
  await client.query(`DELETE FROM api.machine_event WHERE ${column} = $1 AND seq <= $2`, [key, end - size]);
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
