import { formatPrefix, type Prefix } from "@firstlight/wire";
import type pg from "pg";
import { columnsOf } from "../../fields/field.ts";
import { SEGMENT_FIELDS } from "../../fields/segment.ts";
import { columnValue } from "../../fields/values.ts";
import type { DrainState, Segment } from "../../model/model.ts";
import { labelOf, type Named } from "../../names/naming.ts";
import { type Drained, Refused, type SegmentEdit } from "../store.ts";
import { drainColumns } from "./drain.ts";
import { giveLabels } from "../device/labels.ts";
import { append } from "../append.ts";
import { mustBeEmpty, mustNotBeAwaited, mustNotOrphan } from "./orphans.ts";
import { repolicy } from "../lease/policy.ts";
import { writePrefixes } from "./prefixes.ts";
import { put } from "../put.ts";
import { giveBackResources, resourceColumns } from "./resources.ts";
import { type Json, rowFrom, type StoredRow } from "../../database/rows.ts";

export async function createSegment(client: pg.ClientBase, edit: SegmentEdit, actor: string): Promise<Segment> {
  if (await segmentNamed(client, edit.name)) throw new Refused("segment-exists", { segment: edit.name });
  return (await writeSegment(client, undefined, edit, { actor, removes: true })).segment;
}

export async function updateSegment(
  client: pg.ClientBase,
  name: string,
  edit: Partial<SegmentEdit>,
  actor: string,
): Promise<Segment> {
  const before = await mustExist(client, name);
  if (edit.name !== undefined && edit.name !== name && (await segmentNamed(client, edit.name)))
    throw new Refused("segment-exists", { segment: edit.name });
  return (await writeSegment(client, before, edit, { actor, removes: true })).segment;
}

/** Lets a segment, or one prefix of it, run empty; or takes that back. */
export async function drain(
  client: pg.ClientBase,
  name: string,
  prefix: Prefix | undefined,
  state: DrainState,
  actor: string,
): Promise<Drained> {
  const before = await mustExist(client, name);
  const rowsOf = async (): Promise<StoredRow<"prefix">[]> => {
    const text = `SELECT to_jsonb(p) AS "row" FROM ipam.prefix p WHERE segment = $1 ORDER BY id`;
    return (await client.query<{ row: StoredRow<"prefix"> }>(text, [before.id])).rows.map(({ row }) => row);
  };
  let segment = rowFrom("segment", before);
  if (prefix) {
    const text = formatPrefix(prefix);
    const row = (await rowsOf()).find((one) => one.prefix === text);
    if (!row) throw new Refused("prefix-not-found", { segment: name, prefix: text });
    const columns = await drainColumns(client, row, state, segment);
    await put(client, "prefix", row, columns, `segment ${name}: prefix ${text}`, actor);
    if (state === "active") await mustNotOrphan(client, segment);
  } else segment = (await writeSegment(client, before, { state }, { actor, removes: false })).segment;
  return { segment, prefixes: (await rowsOf()).map((row) => rowFrom("prefix", row)) };
}

/** With its prefixes, interfaces and what is left of their leases. Refused while any address in it is bound or rests. */
export async function deleteSegment(client: pg.ClientBase, name: string, actor: string): Promise<void> {
  const before = await mustExist(client, name);
  const { id } = before;
  await mustBeEmpty(client, name, id, before.state === "draining");
  await mustNotBeAwaited(client, name, id);
  await giveBackResources(client, name, actor);
  for (const [kind, table, column] of [
    ["lease", "ipam.lease", "segment"],
    ["interface", "ipam.interface", "segment"],
    ["prefix", "ipam.prefix", "segment"],
    ["segment", "ipam.segment", "id"],
  ] as const) {
    const { rows } = await client.query<{ row: Json }>(
      `DELETE FROM ${table} t WHERE ${column} = $1 RETURNING to_jsonb(t) AS "row"`,
      [id],
    );
    await append.tombstones(
      client,
      kind,
      rows.map(({ row }) => row),
      actor,
    );
  }
}

/**
 * Brings a segment and its prefixes to what is written. A prefix that is no longer written is removed by an operator's
 * edit (`removes`), and by a declaration only where it stands in the way of a declared one.
 */
export async function writeSegment(
  client: pg.ClientBase,
  before: StoredRow<"segment"> | undefined,
  edit: Partial<SegmentEdit>,
  { actor, removes }: { readonly actor: string; readonly removes: boolean },
): Promise<{ readonly segment: Segment; readonly changed: readonly string[] }> {
  const says = `segment ${edit.name ?? before!.name}`;
  const wanted = {
    ...(await segmentColumns(client, says, edit)),
    ...(await resourceColumns(client, before, edit, actor)),
    ...(await drainColumns(client, before, edit.state, drainSpan(before, edit))),
  };
  const movesVrf = before !== undefined && wanted["vrf"] !== undefined && wanted["vrf"] !== before.vrf;
  if (movesVrf) await mustBeEmpty(client, before.name, before.id, false);
  const { row, changed } = await put(client, "segment", before, wanted, says, actor);
  const segment = rowFrom("segment", row);
  if (before) await repolicy(client, before, row, actor);
  if (before && before.naming !== row["naming"]) await rename(client, segment, actor);
  if (before && before.domain !== row["domain"]) await moveInterfaces(client, segment, actor);
  const isWritten = edit.prefixes !== undefined || movesVrf;
  const lines = isWritten ? await writePrefixes(client, says, segment, edit.prefixes, { actor, removes }) : [];
  const reopens = before?.state === "draining" && segment.state !== "draining";
  if (before && (lines.length > 0 || reopens)) await mustNotOrphan(client, segment);
  return { segment, changed: [...changed, ...lines] };
}

const COLUMNS = columnsOf(SEGMENT_FIELDS).filter(([, , { by }]) => by === undefined);

/** What is not written stays. */
async function segmentColumns(client: pg.ClientBase, says: string, edit: Partial<SegmentEdit>): Promise<Json> {
  const wanted: Record<string, unknown> = {};
  for (const [name, column, field] of COLUMNS)
    if (name in edit) wanted[column] = columnValue(field, edit[name as keyof SegmentEdit]);
  if (edit.options) wanted["options"] = JSON.parse(JSON.stringify(edit.options)); // without what is undefined
  if (edit.domain === undefined) return wanted;
  const { rows } = await client.query<{ id: number }>("SELECT id FROM ipam.domain WHERE name = $1", [edit.domain]);
  if (!rows[0]) throw new Refused("domain-not-found", { subject: says, domain: edit.domain });
  return { ...wanted, domain: rows[0].id };
}

/** Expected devices are named anew, at once: names follow the segment's naming. */
async function rename(client: pg.ClientBase, { id, naming }: Segment, actor: string): Promise<void> {
  const { rows } = await client.query<{ id: number; device: Named }>(
    `SELECT i.id, to_jsonb(e) AS device FROM ipam.interface i JOIN ipam.expected_device e ON e.mac = i.mac WHERE i.segment = $1 AND i.state IS DISTINCT FROM 'away' ORDER BY i.id`,
    [id],
  );
  const wants = rows.map((row) => ({ id: row.id, label: labelOf(naming, row.device) ?? null }));
  await giveLabels(client, wants, actor);
  const { rows: named } = await client.query<{ row: Json }>(
    `UPDATE ipam.interface i SET version = nextval('ipam.version') WHERE id = ANY($1) RETURNING to_jsonb(i) AS "row"`,
    [rows.map((row) => row.id)],
  );
  await append.changes(
    client,
    "interface",
    named.map(({ row }) => row),
    { actor, dns: true },
  );
}

/** Labels are unique per domain: those that are taken in the new one fall back to the derived name. */
async function moveInterfaces(client: pg.ClientBase, segment: Segment, actor: string): Promise<void> {
  const { rows } = await client.query<{ row: Json }>(
    `UPDATE ipam.interface i SET domain = $2, version = nextval('ipam.version'),
       label = CASE WHEN EXISTS (SELECT FROM ipam.interface o WHERE o.domain = $2 AND o.label = i.label) THEN NULL ELSE i.label END
     WHERE segment = $1 RETURNING to_jsonb(i) AS "row"`,
    [segment.id, segment.domain],
  );
  await append.changes(
    client,
    "interface",
    rows.map(({ row }) => row),
    { actor, dns: true },
  );
}

/** What a drain's end is reckoned by: the edit's words, or what is there. */
function drainSpan(
  before: StoredRow<"segment"> | undefined,
  edit: Partial<SegmentEdit>,
): Pick<Segment, "leaseSeconds" | "drainSeconds"> {
  const leaseSeconds = edit.leaseSeconds ?? before!.lease_seconds;
  const drainSeconds = "drainSeconds" in edit ? edit.drainSeconds : before?.drain_seconds;
  return { leaseSeconds, ...(typeof drainSeconds === "number" && { drainSeconds }) };
}

export async function segmentNamed(client: pg.ClientBase, name: string): Promise<StoredRow<"segment"> | undefined> {
  const { rows } = await client.query<{ row: StoredRow<"segment"> }>(
    `SELECT to_jsonb(s) AS "row" FROM ipam.segment s WHERE name = $1`,
    [name],
  );
  return rows[0]?.row;
}

async function mustExist(client: pg.ClientBase, name: string): Promise<StoredRow<"segment">> {
  const row = await segmentNamed(client, name);
  if (!row) throw new Refused("segment-not-found", { segment: name });
  return row;
}
