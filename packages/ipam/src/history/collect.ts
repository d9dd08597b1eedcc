import type pg from "pg";
import { append } from "../store/append.ts";
import { integer, rowOf } from "../database/columns.ts";
import type { Json } from "../database/rows.ts";
import { COUNTED_ON } from "../policy/counted-on.ts";
import { AS_EDIT } from "../store/locks.ts";
import type { Slice } from "./walk.ts";

/** Most interfaces collected at a time. */
const MOST = 200;

/**
 * Interfaces that nobody counts on: of a stranger, or left by a device that lives elsewhere. No promise of theirs runs, rests
 * or is kept by policy, nothing expects or reserves for them, and they were last seen so many days ago. Of one that never
 * had anything it is known since history began.
 */
const FORGOTTEN = `
  SELECT i.id FROM ipam.interface i
  WHERE i.id > $1 AND i.id <= $2 AND i.machine IS NULL AND i.state IS DISTINCT FROM 'predicted'
    AND (i.identified_by = 'lease' OR i.state = 'away')
    AND NOT EXISTS (
      SELECT FROM ipam.lease l WHERE l.interface = i.id
        AND (${COUNTED_ON} OR l.expires_at > now() - make_interval(days => $3)))
    AND (i.state = 'away' OR NOT EXISTS (SELECT FROM ipam.expected_device e WHERE e.mac = i.mac))
    AND NOT EXISTS (SELECT FROM ipam.reservation r WHERE r.segment = i.segment AND r.identity = coalesce('mac ' || i.mac::text, i.identity))
    AND coalesce(
      (SELECT max(l.expires_at) FROM ipam.lease l WHERE l.interface = i.id),
      (SELECT max(t.expires_at) FROM ipam.tenancy t WHERE (t.mac = i.mac OR t.identity = i.identity) AND t.interface = i.id),
      (SELECT begun_at FROM ipam.chronicle)
    ) <= now() - make_interval(days => $3)
  ORDER BY i.id LIMIT ${MOST}`;

const FORGOTTEN_ROW = rowOf("forgotten interfaces", { id: integer });

const LEASES = `DELETE FROM ipam.lease l WHERE l.interface = ANY ($1) RETURNING to_jsonb(l) AS "row"`;
const INTERFACES = `DELETE FROM ipam.interface i WHERE i.id = ANY ($1) RETURNING to_jsonb(i) AS "row"`;
/** How often it moved, of who is nowhere any more. */
const MOVES = `
  DELETE FROM ipam.rehoming r WHERE (r.mac = ANY ($1::macaddr[]) OR r.identity = ANY ($2::text[]))
    AND NOT EXISTS (SELECT FROM ipam.interface i WHERE i.mac = r.mac OR i.identity = r.identity)`;

/** As an edit, but one that would rather not be than hold up leases behind a transaction that hangs. */
const BEGIN = `SET LOCAL lock_timeout = '500ms'; ${AS_EDIT}`;
const LOCK_NOT_AVAILABLE = "55P03";

/** Removes the forgotten ones of a slice, with what is left of their leases; how many there were. */
export async function collect(client: pg.ClientBase, { after, to }: Slice, strangerDays: number): Promise<number> {
  const find = async (): Promise<number[]> =>
    (await client.query(FORGOTTEN, [after, to, strangerDays])).rows.map((row) => FORGOTTEN_ROW(row).id);
  if ((await find()).length === 0) return 0;
  await client.query("SAVEPOINT collect");
  try {
    await client.query(BEGIN);
  } catch (error) {
    if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw error;
    await client.query("ROLLBACK TO SAVEPOINT collect");
    return 0; // the next walk finds them again
  }
  const ids = await find(); // as they are now that nobody is being served
  for (const [kind, text] of [
    ["lease", LEASES],
    ["interface", INTERFACES],
  ] as const) {
    const { rows } = await client.query<{ row: Json }>(text, [ids]);
    await append.tombstones(
      client,
      kind,
      rows.map(({ row }) => row),
      "daemon/api collect",
    );
    if (kind === "interface") {
      await client.query(MOVES, [rows.map(({ row }) => row["mac"]), rows.map(({ row }) => row["identity"])]);
    }
  }
  return ids.length;
}
