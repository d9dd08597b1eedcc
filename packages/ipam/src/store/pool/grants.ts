import { isMalformed } from "@firstlight/wire";
import type pg from "pg";
import type { Grant, GrantRequest } from "../../pool/pool.ts";
import { readSlot, showSlot } from "../../pool/slot.ts";
import { Exhausted, Refused } from "../store.ts";
import { append } from "../append.ts";
import { Again } from "../transaction.ts";
import { given, poolNamed, type PoolRow } from "./pools.ts";

/**
 * Gives one value of a pool: what the owner has already, else the one it wants, else the first free one from its hint on
 * and round again. Writers meet on one range of free slots, for as long as a commit takes; other ranges go on beside it.
 */
export async function allocate(client: pg.ClientBase, request: GrantRequest, actor: string): Promise<Grant> {
  const pool = await mustExist(client, request.pool, "FOR SHARE");
  const had = await grantOf(client, pool, request.owner);
  if (had) return kept(pool, had, request);
  const slot = await takeFree(client, pool, request);
  const { rows } = await client.query<GrantRow>(
    `INSERT INTO ipam.pool_grant AS g (pool, slot, owner) VALUES ($1, $2, $3)
     ON CONFLICT ON CONSTRAINT pool_grant_owner DO NOTHING RETURNING ${COLUMNS}, to_jsonb(g) AS "row"`,
    [pool.id, slot, request.owner],
  );
  if (!rows[0]) throw new Again("the owner was given one meanwhile");
  await append.audit(client, "grant", `${pool.name}/${slot}`, rows[0].row, actor);
  return grantFrom(pool, rows[0]);
}

/** Takes a value back, from its owner alone. It joins what is free around it. */
export async function release(
  client: pg.ClientBase,
  { pool: name, value, owner }: { readonly pool: string; readonly value: string; readonly owner: string },
  actor: string,
): Promise<void> {
  const pool = await mustExist(client, name, "FOR SHARE");
  const slot = mustRead(pool, value);
  const { rows } = await client.query<{ owner: string }>(
    "SELECT owner FROM ipam.pool_grant WHERE pool = $1 AND slot = $2 FOR UPDATE",
    [pool.id, slot],
  );
  if (!rows[0]) throw new Refused("pool-value-free", { pool: name, value });
  if (rows[0].owner !== owner) throw given(pool, { slot, owner: rows[0].owner });
  await putBack(client, pool, slot, actor);
}

/** Takes back whatever this owner has of a pool. */
export async function releaseOf(client: pg.ClientBase, name: string, owner: string, actor: string): Promise<void> {
  const pool = await mustExist(client, name, "FOR SHARE");
  const had = await grantOf(client, pool, owner);
  if (had) await putBack(client, pool, had.slot, actor);
}

async function putBack(client: pg.ClientBase, pool: PoolRow, slot: string, actor: string): Promise<void> {
  await client.query("DELETE FROM ipam.pool_grant WHERE pool = $1 AND slot = $2", [pool.id, slot]);
  await client.query(JOIN_FREE, [pool.id, slot]);
  await append.audit(client, "grant", `${pool.name}/${slot}`, undefined, actor);
}

/** One range of the slot and its free neighbours, of which the lower one grows: at most one row goes. */
const JOIN_FREE = `SELECT ipam.free_slot($1, $2)`;

/** What a pool has given, in the order of its values, a page at a time. */
export async function listGrants(
  client: Pick<pg.ClientBase, "query">,
  name: string,
  after: string | undefined,
  limit: number,
): Promise<Grant[]> {
  const pool = await mustExist(client, name);
  const { rows } = await client.query<GrantRow>(
    `SELECT ${COLUMNS} FROM ipam.pool_grant WHERE pool = $1 AND slot > $2 ORDER BY slot LIMIT $3`,
    [pool.id, after === undefined ? "-1" : mustRead(pool, after), limit],
  );
  return rows.map((row) => grantFrom(pool, row));
}

interface GrantRow {
  readonly slot: string;
  readonly owner: string;
  readonly at: number;
  readonly row?: object;
}

const COLUMNS = `slot::text AS slot, owner, floor(extract(epoch FROM granted_at) * 1000)::float8 AS at`;

async function takeFree(client: pg.ClientBase, pool: PoolRow, { wanted, hint }: GrantRequest): Promise<string> {
  const from = mustRead(pool, wanted ?? hint);
  for (;;) {
    const slot =
      wanted === undefined
        ? ((await carve(client, pool, FROM, from)) ?? (await carve(client, pool, FROM, "0")))
        : await carve(client, pool, WITH, from);
    if (slot !== undefined) return slot;
    // A range that another writer just used up hides what is behind it: look again while there is any.
    const { rowCount } = await client.query(
      `SELECT FROM ipam.pool_free WHERE pool = $1 AND ${wanted === undefined ? FROM : WITH} LIMIT 1`,
      [pool.id, wanted === undefined ? "0" : from],
    );
    if (rowCount) continue;
    if (wanted === undefined) throw await exhausted(client, pool);
    throw await whyNot(client, pool, wanted, from);
  }
}

/** The range that has this slot; or the first one that ends after it. */
const WITH = "free @> $2::numeric";
const FROM = "upper(free) > $2::numeric";

/** Locks one free range and takes a slot out of it: `from`, or its first one after that. */
async function carve(client: pg.ClientBase, pool: PoolRow, where: string, from: string): Promise<string | undefined> {
  const { rows } = await client.query<{ first: string; end: string }>(
    `SELECT lower(free)::text AS first, upper(free)::text AS "end" FROM ipam.pool_free
     WHERE pool = $1 AND ${where} ORDER BY upper(free) LIMIT 1 FOR UPDATE`,
    [pool.id, from],
  );
  if (!rows[0]) return undefined;
  const { first, end } = rows[0];
  const slot = BigInt(from) > BigInt(first) ? BigInt(from) : BigInt(first);
  const [before, after] = [
    [first, String(slot)],
    [String(slot + 1n), end],
  ].filter(([low, high]) => low !== high);
  const at = [pool.id, end]; // who waits for the row finds it again with what is left of it
  if (!before) await client.query("DELETE FROM ipam.pool_free WHERE pool = $1 AND upper(free) = $2", at);
  else {
    const [keep, other] = after ? [after, before] : [before, undefined];
    await client.query("UPDATE ipam.pool_free SET free = numrange($3, $4) WHERE pool = $1 AND upper(free) = $2", [
      ...at,
      ...keep,
    ]);
    if (other)
      await client.query("INSERT INTO ipam.pool_free (pool, free) VALUES ($1, numrange($2, $3))", [pool.id, ...other]);
  }
  return String(slot);
}

async function whyNot(client: pg.ClientBase, pool: PoolRow, wanted: string, slot: string): Promise<Refused> {
  const { rows } = await client.query<{ owner: string; slot: string }>(
    "SELECT slot, owner FROM ipam.pool_grant WHERE pool = $1 AND slot = $2",
    [pool.id, slot],
  );
  return rows[0] ? given(pool, rows[0]) : new Refused("pool-value-outside", { pool: pool.name, value: wanted });
}

async function exhausted(client: pg.ClientBase, pool: PoolRow): Promise<Exhausted> {
  const { rows } = await client.query<{ n: number }>("SELECT count(*) AS n FROM ipam.pool_grant WHERE pool = $1", [
    pool.id,
  ]);
  return new Exhausted("pool-exhausted", { pool: pool.name, count: String(rows[0]!.n) });
}

async function grantOf(client: pg.ClientBase, pool: PoolRow, owner: string): Promise<GrantRow | undefined> {
  const { rows } = await client.query<GrantRow>(
    `SELECT ${COLUMNS} FROM ipam.pool_grant WHERE pool = $1 AND owner = $2`,
    [pool.id, owner],
  );
  return rows[0];
}

/** The same question has the same answer; another wish of the same owner is a question of its own. */
function kept(pool: PoolRow, row: GrantRow, { wanted, owner }: GrantRequest): Grant {
  if (wanted !== undefined && mustRead(pool, wanted) !== row.slot)
    throw new Refused("pool-owner-has-value", {
      pool: pool.name,
      owner,
      value: showSlot(formOf(pool), BigInt(row.slot)),
    });
  return grantFrom(pool, row);
}

function grantFrom(pool: PoolRow, { slot, owner, at }: GrantRow): Grant {
  return { pool: pool.name, value: showSlot(formOf(pool), BigInt(slot)), owner, at };
}

function mustRead(pool: PoolRow, text: string | undefined): string {
  if (text === undefined) return "0";
  const slot = readSlot(formOf(pool), text);
  if (isMalformed(slot)) throw new Refused("pool-value-malformed", { pool: pool.name, fault: slot.because });
  return String(slot);
}

const formOf = ({ is, length }: PoolRow) => ({ is, length: length ?? undefined });

async function mustExist(client: Pick<pg.ClientBase, "query">, name: string, lock?: "FOR SHARE"): Promise<PoolRow> {
  const pool = await poolNamed(client, name, lock);
  if (!pool) throw new Refused("pool-not-found", { pool: name });
  return pool;
}
