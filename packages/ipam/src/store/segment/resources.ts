import { formatAddress, isMalformed, parseAddress } from "@firstlight/wire";
import type pg from "pg";
import { boundsOf, POOLED_FIELDS, type PooledField } from "../../fields/segment.ts";
import { Exhausted, Refused, type SegmentEdit } from "../store.ts";
import { allocate, releaseOf } from "../pool/grants.ts";
import type { Json, StoredRow } from "../../database/rows.ts";

/** Whose a value is: the segment's, and which of its numbers. */
const ownerOf = (name: string, field: string): string => `segment ${name} ${field}`;

/**
 * The columns of what an edit says of a segment's numbers. What a pool gives is the same for as long as the segment asks that
 * pool; what is no longer asked for goes back. Refused with the pool's reason when it has none left.
 */
export async function resourceColumns(
  client: pg.ClientBase,
  before: StoredRow<"segment"> | undefined,
  edit: Partial<SegmentEdit>,
  actor: string,
): Promise<Json> {
  const had = before?.name ?? edit.name!;
  const name = edit.name ?? had;
  if (name !== had) await renameOwner(client, had, name);
  const pools = { ...before?.from_pools };
  const columns: Record<string, unknown> = {};
  for (const field of POOLED_FIELDS) {
    if (!(field in edit)) continue;
    const wanted = edit[field];
    const pool = typeof wanted === "object" ? wanted.pool : undefined;
    const gone = pools[field];
    if (gone !== undefined && gone !== pool) await releaseOf(client, gone, ownerOf(name, field), actor);
    delete pools[field];
    if (pool === undefined) {
      columns[field] = plain(field, wanted as Exclude<typeof wanted, object>);
      continue;
    }
    const value = await take(client, pool, name, field, actor);
    columns[field] = columnOf(value, field, { segment: name, pool });
    pools[field] = pool;
  }
  return Object.keys(columns).length === 0 ? {} : { ...columns, from_pools: pools };
}

/** All that pools gave to a segment that goes. */
export async function giveBackResources(client: pg.ClientBase, name: string, actor: string): Promise<void> {
  const { rows } = await client.query<{ pool: string; owner: string }>(
    `SELECT p.name AS pool, g.owner FROM ipam.pool_grant g JOIN ipam.pool p ON p.id = g.pool
     WHERE g.owner = ANY($1) ORDER BY 1, 2`,
    [POOLED_FIELDS.map((field) => ownerOf(name, field))],
  );
  for (const { pool, owner } of rows) await releaseOf(client, pool, owner, actor);
}

async function take(client: pg.ClientBase, pool: string, name: string, field: string, actor: string): Promise<string> {
  try {
    return (await allocate(client, { pool, owner: ownerOf(name, field) }, actor)).value;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const Like = error instanceof Exhausted ? Exhausted : Refused;
    throw new Like("segment-number-refused", { segment: name, field, fault: error.message }, { cause: error });
  }
}

async function renameOwner(client: pg.ClientBase, had: string, name: string): Promise<void> {
  await client.query(
    `UPDATE ipam.pool_grant g SET owner = o.now, version = nextval('ipam.version')
     FROM unnest($1::text[], $2::text[]) o (was, now) WHERE g.owner = o.was`,
    [POOLED_FIELDS.map((field) => ownerOf(had, field)), POOLED_FIELDS.map((field) => ownerOf(name, field))],
  );
}

/** The column of what a pool gave; refused where the segment's setting cannot have it. */
function columnOf(
  value: string,
  field: PooledField,
  place: { readonly segment: string; readonly pool: string },
): number | string {
  const bounds = boundsOf(field);
  if (bounds === undefined) {
    if (isMalformed(parseAddress(value))) throw new Refused("segment-number-not-address", { ...place, field, value });
    return value;
  }
  const number = Number(value);
  if (!(number >= bounds.least && number <= bounds.most)) {
    const [least, most] = [String(bounds.least), String(bounds.most)];
    throw new Refused("segment-number-out-of-bounds", { ...place, field, value, least, most });
  }
  return number;
}

function plain(field: string, value: number | bigint | undefined): unknown {
  if (value === undefined) return null;
  return field === "loopback" ? formatAddress(value) : value;
}
