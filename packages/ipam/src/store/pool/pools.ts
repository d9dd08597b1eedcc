import { isMalformed } from "@firstlight/wire";
import type pg from "pg";
import type { Pool, PoolEdit } from "../../pool/pool.ts";
import { readRange, showRange, showSlot } from "../../pool/slot.ts";
import { Refused } from "../store.ts";
import { append } from "../append.ts";

/** A pool as its row has it. */
export interface PoolRow {
  readonly id: number;
  readonly name: string;
  readonly is: Pool["is"];
  readonly length: number | null;
  readonly version: number;
}

/** Makes a pool or brings it to what is written; refused with the value and its owner when one would lose its place. */
export async function putPool(client: pg.ClientBase, edit: PoolEdit, actor: string): Promise<readonly string[]> {
  const says = `pool ${edit.name}`;
  const before = await poolNamed(client, edit.name);
  if (before && (before.is !== edit.is || (before.length ?? undefined) !== edit.length))
    throw new Refused("pool-kind-fixed", { pool: edit.name, kind: before.is });
  const [ranges, excluded] = [edit.ranges, edit.excluded].map((texts) => multirange(edit, texts));
  const { rows } = await client.query<PoolRow & { row: object }>(
    `INSERT INTO ipam.pool AS p (name, "is", length, ranges, excluded) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (name) DO UPDATE SET ranges = excluded.ranges, excluded = excluded.excluded, version = nextval('ipam.version')
     WHERE (p.ranges, p.excluded) IS DISTINCT FROM (excluded.ranges, excluded.excluded)
     RETURNING id, to_jsonb(p) AS "row"`,
    [edit.name, edit.is, edit.length ?? null, ranges, excluded],
  );
  const pool = rows[0];
  if (!pool) return [];
  await mustHoldGrants(client, edit, pool.id);
  await client.query("DELETE FROM ipam.pool_free WHERE pool = $1", [pool.id]);
  await client.query(FREE_ANEW, [pool.id]);
  await append.audit(client, "pool", edit.name, pool.row, actor);
  return [before ? `${says}: ranges changed` : `${says}: created`];
}

/** What the ranges have less what is excluded and given: written as a whole, for an edit is rare. */
const FREE_ANEW = `
  INSERT INTO ipam.pool_free (pool, free)
  SELECT $1, unnest(p.ranges - p.excluded - coalesce(
    (SELECT range_agg(numrange(slot, slot + 1)) FROM ipam.pool_grant WHERE pool = $1), '{}'))
  FROM ipam.pool p WHERE id = $1`;

export async function deletePool(client: pg.ClientBase, name: string, actor: string): Promise<void> {
  const pool = await poolNamed(client, name);
  if (!pool) throw new Refused("pool-not-found", { pool: name });
  const { rows } = await client.query<{ slot: string; owner: string }>(
    "SELECT slot, owner FROM ipam.pool_grant WHERE pool = $1 ORDER BY slot LIMIT 1",
    [pool.id],
  );
  if (rows[0]) throw given(pool, rows[0]);
  await client.query("DELETE FROM ipam.pool WHERE id = $1", [pool.id]);
  await append.audit(client, "pool", name, undefined, actor);
}

/** Pools by name, those beyond `after`, with how much of each is left: counted by ranges, not by grants. */
export async function listPools(client: Pick<pg.ClientBase, "query">, after = "", limit?: number): Promise<Pool[]> {
  const { rows } = await client.query<
    PoolRow & { ranges: [string, string][]; excluded: [string, string][]; granted: string; free: string }
  >(
    `SELECT id, name, "is", length, version, ${BOUNDS("ranges")} AS ranges, ${BOUNDS("excluded")} AS excluded,
       (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(p.ranges - p.excluded) r) - f.free AS granted, f.free
     FROM ipam.pool p, LATERAL (
       SELECT coalesce(sum(upper(free) - lower(free)), 0) AS free FROM ipam.pool_free WHERE pool = p.id
     ) f
     WHERE name > $1 ORDER BY name LIMIT $2`,
    [after, limit ?? null],
  );
  return rows.map(({ id: _id, length, ranges, excluded, granted, free, ...row }) => {
    const pool = { ...row, ...(length !== null && { length }) };
    const words = (list: readonly [string, string][]): string[] =>
      list.map(([first, end]) => showRange(pool, { first: BigInt(first), end: BigInt(end) }));
    return { ...pool, ranges: words(ranges), excluded: words(excluded), granted: Number(granted), free: BigInt(free) };
  });
}

const BOUNDS = (column: string): string =>
  `(SELECT coalesce(jsonb_agg(jsonb_build_array(lower(r)::text, upper(r)::text) ORDER BY r), '[]') FROM unnest(p.${column}) r)`;

/** `FOR SHARE`: it stays as it is while this transaction gives or takes back; edits wait. */
export async function poolNamed(
  client: Pick<pg.ClientBase, "query">,
  name: string,
  lock: "" | "FOR SHARE" = "",
): Promise<PoolRow | undefined> {
  const { rows } = await client.query<PoolRow>(
    `SELECT id, name, "is", length, version FROM ipam.pool WHERE name = $1 ${lock}`,
    [name],
  );
  return rows[0];
}

/** The refusal that names the owner of a slot. */
export function given(pool: PoolRow, { slot, owner }: { readonly slot: string; readonly owner: string }): Refused {
  const value = showSlot({ is: pool.is, length: pool.length ?? undefined }, BigInt(slot));
  return new Refused("pool-value-given", { pool: pool.name, value, owner });
}

async function mustHoldGrants(client: pg.ClientBase, edit: PoolEdit, id: number): Promise<void> {
  const { rows } = await client.query<{ slot: string; owner: string }>(
    `SELECT g.slot, g.owner FROM ipam.pool_grant g JOIN ipam.pool p ON p.id = g.pool
     WHERE g.pool = $1 AND NOT g.slot <@ (p.ranges - p.excluded) ORDER BY g.slot LIMIT 1`,
    [id],
  );
  if (!rows[0]) return;
  const { slot, owner } = rows[0];
  throw new Refused("pool-value-given", { pool: edit.name, value: showSlot(edit, BigInt(slot)), owner });
}

/** Ranges in PostgreSQL's words. */
function multirange(edit: PoolEdit, texts: readonly string[]): string {
  const ranges = texts.map((text) => {
    const range = readRange(edit, text);
    if (isMalformed(range)) throw new Refused("pool-value-malformed", { pool: edit.name, fault: range.because });
    return `[${range.first},${range.end})`;
  });
  return `{${ranges.join(",")}}`;
}
