import { contains, formatAddress, formatPrefix, overlaps } from "@firstlight/wire";
import type pg from "pg";
import { isDraining } from "../../policy/drain.ts";
import { columnsOf } from "../../fields/field.ts";
import { PREFIX_FIELDS } from "../../fields/prefix.ts";
import { columnValue } from "../../fields/values.ts";
import type { AddressRange, Segment } from "../../model/model.ts";
import { type PrefixEdit, Refused } from "../store.ts";
import { abandon, drainColumns } from "./drain.ts";
import { append } from "../append.ts";
import { put } from "../put.ts";
import { type Json, rowFrom, type StoredRow } from "../../database/rows.ts";

/** Brings the prefixes of a segment to what is written (as they are, but in the segment's VRF, where nothing is); a line for each that changed. */
export async function writePrefixes(
  client: pg.ClientBase,
  says: string,
  segment: Segment,
  edits: readonly PrefixEdit[] | undefined,
  by: { actor: string; removes: boolean },
): Promise<string[]> {
  const { rows } = await client.query<{ row: StoredRow<"prefix"> }>(
    `SELECT to_jsonb(p) AS "row" FROM ipam.prefix p WHERE segment = $1`,
    [segment.id],
  );
  const before = rows.map(({ row }) => ({ row, prefix: rowFrom("prefix", row) }));
  const wanted = edits ?? before.map(({ prefix }) => prefix);
  const sameAs = (edit: PrefixEdit) =>
    before.find(({ prefix }) => formatPrefix(prefix.prefix) === formatPrefix(edit.prefix));
  const goes = before.filter(
    ({ prefix }) =>
      !wanted.some((edit) => formatPrefix(edit.prefix) === formatPrefix(prefix.prefix)) &&
      (by.removes || wanted.some((edit) => overlaps(edit.prefix, prefix.prefix))),
  );
  for (const { prefix } of goes) if (isDraining(segment, prefix)) await abandon(client, prefix, by.actor);
  await client.query("DELETE FROM ipam.prefix WHERE id = ANY($1)", [goes.map(({ prefix }) => prefix.id)]);
  await append.tombstones(
    client,
    "prefix",
    goes.map(({ row }) => row),
    by.actor,
  );
  const lines = goes.map(({ prefix }) => `${says}: prefix ${formatPrefix(prefix.prefix)} removed`);
  for (const edit of wanted) {
    await mustNotOverlap(client, segment, edit);
    mustBePools(edit);
    const same = sameAs(edit)?.row;
    const done = await put(
      client,
      "prefix",
      same,
      { ...prefixColumns(segment, edit), ...(await drainColumns(client, same, edit.state, segment)) },
      `${says}: prefix ${formatPrefix(edit.prefix)}`,
      by.actor,
    );
    lines.push(...done.changed);
  }
  return lines;
}

async function mustNotOverlap(client: pg.ClientBase, segment: Segment, { prefix }: PrefixEdit): Promise<void> {
  const text = formatPrefix(prefix);
  const { rows } = await client.query<{ prefix: string; name: string }>(
    `SELECT p.prefix::text, s.name FROM ipam.prefix p JOIN ipam.segment s ON s.id = p.segment
     WHERE p.vrf = $1 AND p.prefix && $2::inet AND NOT (p.segment = $3 AND p.prefix = $2::cidr) LIMIT 1`,
    [segment.vrf, text, segment.id],
  );
  const [other] = rows;
  if (other) {
    throw new Refused("prefix-overlaps", {
      segment: segment.name,
      prefix: text,
      other: other.prefix,
      holder: other.name,
      vrf: segment.vrf,
    });
  }
}

const ends = ({ first, last }: AddressRange): string[] => [formatAddress(first), formatAddress(last)];

/** Pools lie in their prefix, and none over another. */
function mustBePools({ prefix, pools = [] }: PrefixEdit): void {
  const facts = (pool: AddressRange) => ({ prefix: formatPrefix(prefix), range: ends(pool).join("-") });
  const sorted = pools.toSorted((a, b) => (a.first < b.first ? -1 : 1));
  for (const [n, pool] of sorted.entries()) {
    if (!contains(prefix, pool.first) || !contains(prefix, pool.last))
      throw new Refused("role-pool-outside", facts(pool));
    if (pool.last < pool.first) throw new Refused("role-pool-reversed", facts(pool));
    const next = sorted[n + 1];
    if (next && next.first <= pool.last)
      throw new Refused("role-pool-overlaps", { ...facts(pool), other: ends(next).join("-") });
  }
}

const COLUMNS = columnsOf(PREFIX_FIELDS).filter(([, , { by }]) => by === undefined);

/** What is absent is cleared, except the fields that an edit keeps. */
function prefixColumns(segment: Segment, edit: PrefixEdit): Json {
  const columns: Record<string, unknown> = { segment: segment.id, vrf: segment.vrf };
  for (const [name, column, field] of COLUMNS) {
    const value = edit[name as keyof PrefixEdit];
    if (value !== undefined || field.isKept !== true) columns[column] = columnValue(field, value);
  }
  return columns;
}
