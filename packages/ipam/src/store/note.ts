import type pg from "pg";
import type { Kind } from "../model.ts";
import { type Json, keyOfJson } from "./rows.ts";

/**
 * Leaves one change behind each row, in the transaction that changed it. Written out by the writer and not by triggers:
 * only the writer knows who acts, in which trace, and whether DNS may differ; and one statement does for a whole batch.
 */
export async function note(
  client: pg.ClientBase,
  kind: Kind,
  rows: readonly Json[],
  by: { readonly actor: string; readonly dns: boolean },
): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: "note",
    text: `INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor)
           SELECT (r ->> 'version')::bigint, $1, k, $2, r, $3 FROM unnest($4::text[], $5::jsonb[]) u (k, r)`,
    values: [kind, by.dns, by.actor, rows.map((row) => keyOfJson(kind, row)), rows.map((row) => JSON.stringify(row))],
  });
}

/** The same for rows that are gone: a version of their own, no row. */
export async function noteGone(client: pg.ClientBase, kind: Kind, rows: readonly Json[], actor: string): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: "note-gone",
    text: `INSERT INTO ipam.change_pending (version, kind, key, dns, actor)
           SELECT nextval('ipam.version'), $1, k, true, $2 FROM unnest($3::text[]) k`,
    values: [kind, actor, rows.map((row) => keyOfJson(kind, row))],
  });
}

/** The same for what no reader holds, for the record alone: pools and what they give. */
export async function noteOther(
  client: pg.ClientBase,
  kind: "pool" | "grant" | "collision",
  key: string,
  row: object | undefined,
  actor: string,
): Promise<void> {
  await client.query({
    name: "note-other",
    text: `INSERT INTO ipam.change_pending (version, kind, key, dns, "row", actor)
           VALUES (coalesce(($3::jsonb ->> 'version')::bigint, nextval('ipam.version')), $1, $2, false, $3, $4)`,
    values: [kind, key, row ? JSON.stringify(row) : null, actor],
  });
}
