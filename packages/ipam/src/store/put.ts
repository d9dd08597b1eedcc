import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import type { Kind } from "../model/model.ts";
import { append } from "./append.ts";
import { type Json, type StoredRow, TABLES } from "../database/rows.ts";

/** What an edit did to one row: the row as it is now, and a line per column that changed. */
export interface Put<K extends Kind> {
  readonly row: StoredRow<K>;
  readonly changed: readonly string[];
}

/**
 * Brings one row of a table with an `id` to the columns given; writes nothing where nothing differs. Values are JSON as
 * PostgreSQL writes it, so that what is wanted and what is there compare.
 */
export async function put<K extends Exclude<Kind, "expected" | "lease">>(
  client: pg.ClientBase,
  kind: K,
  before: StoredRow<K> | undefined,
  wanted: Json,
  says: string,
  actor: string,
): Promise<Put<K>> {
  const columns = Object.keys(wanted);
  const differing = before
    ? columns.filter((column) => !isDeepStrictEqual(before[column] ?? null, wanted[column] ?? null))
    : columns;
  if (before && differing.length === 0) return { row: before, changed: [] };
  const list = differing.map((column) => `"${column}"`).join(", ");
  const values = differing.map((column) => `w."${column}"`).join(", ");
  const from = `jsonb_populate_record(NULL::${TABLES[kind]}, $1) w`;
  const text = before
    ? `UPDATE ${TABLES[kind]} t SET (${list}, version) = ROW(${values}, nextval('ipam.version')) FROM ${from} WHERE t.id = $2 RETURNING to_jsonb(t) AS "row"`
    : `INSERT INTO ${TABLES[kind]} AS t (${list}) SELECT ${values} FROM ${from} RETURNING to_jsonb(t) AS "row"`;
  const { rows } = await client.query<{ row: StoredRow<K> }>(text, [
    JSON.stringify(wanted),
    ...(before ? [before.id] : []),
  ]);
  const { row } = rows[0]!;
  await append.changes(client, kind, [row], { actor, dns: true });
  const changed = before
    ? differing.map(
        (column) => `${says}: ${column.replaceAll("_", " ")} ${show(before[column])} → ${show(wanted[column])}`,
      )
    : [`${says}: created`];
  return { row, changed };
}

function show(value: unknown): string {
  if (value === null || value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
