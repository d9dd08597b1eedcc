import type pg from "pg";
import { Refused } from "../store/store.ts";
import { expectDevices } from "../store/device/expect.ts";
import { putNames } from "../store/dns/names.ts";
import { putPool } from "../store/pool/pools.ts";
import { put } from "../store/put.ts";
import { putReservations } from "../store/reservation/reservations.ts";
import type { StoredRow } from "../database/rows.ts";
import { segmentNamed, writeSegment } from "../store/segment/segments.ts";
import { attempt, faultsOf } from "./attempt.ts";
import { devices, domainColumns, pool, prefixEdit, record, reservation, segmentEdit } from "./edit.ts";
import type { Wanted } from "./judge.ts";
import type { SheetKind } from "./kinds.ts";
import type { Fault } from "./sheet.ts";

type Writer = (client: pg.ClientBase, rows: readonly Wanted[], actor: string) => Promise<Fault[]>;

/** Writes rows that are new or changed, in a transaction that its caller opened; every row that cannot be is a fault. */
export const WRITERS: Readonly<Record<SheetKind, Writer>> = {
  domains: (client, rows, actor) =>
    each(rows, (row) => attempt(client, [row], ([row]) => putDomain(client, row!, actor))),

  pools: (client, rows, actor) =>
    each(rows, (row) => attempt(client, [row], ([row]) => putPool(client, pool(row!), actor), "ranges")),

  segments: (client, rows, actor) =>
    each(rows, (row) => attempt(client, [row], ([row]) => putSegment(client, row!, actor))),

  prefixes: (client, rows, actor) =>
    each(groups(rows, "segment"), (group) =>
      attempt(client, group, (rows) => putPrefixes(client, rows, actor), "prefix"),
    ),

  reservations: (client, rows, actor) =>
    inSets(rows, async (rows) => {
      const { refused } = await putReservations(client, rows.map(reservation), actor, true);
      return faultsOf(rows, refused);
    }),

  expected: (client, rows, actor) => attempt(client, rows, (rows) => expectDevices(client, devices(rows), actor)),

  names: (client, rows, actor) =>
    inSets(rows, async (rows) => {
      const { refused } = await putNames(client, rows.map(record), actor);
      return faultsOf(rows, refused, "owner");
    }),
};

async function each<T>(of: readonly T[], write: (one: T) => Promise<Fault[]>): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (const one of of) faults.push(...(await write(one)));
  return faults;
}

/** So many rows are one statement. */
const SET = 5_000;

async function inSets(rows: readonly Wanted[], write: (rows: readonly Wanted[]) => Promise<Fault[]>): Promise<Fault[]> {
  const faults: Fault[] = [];
  for (let at = 0; at < rows.length; at += SET) faults.push(...(await write(rows.slice(at, at + SET))));
  return faults;
}

function groups(rows: readonly Wanted[], column: string): Wanted[][] {
  return [...Map.groupBy(rows, ({ cells }) => cells[column]).values()];
}

async function putSegment(client: pg.ClientBase, row: Wanted, actor: string): Promise<void> {
  const before = await segmentNamed(client, row.cells["name"]!);
  await writeSegment(client, before, segmentEdit(row, before), { actor, removes: false });
}

async function putPrefixes(client: pg.ClientBase, rows: readonly Wanted[], actor: string): Promise<void> {
  const name = rows[0]!.cells["segment"]!;
  const before = await segmentNamed(client, name);
  if (!before) throw new Refused("segment-not-found", { segment: name });
  await writeSegment(client, before, { prefixes: rows.map(prefixEdit) }, { actor, removes: false });
}

async function putDomain(client: pg.ClientBase, row: Wanted, actor: string): Promise<void> {
  const name = row.cells["name"]!;
  const { rows } = await client.query<{ row: StoredRow<"domain"> }>(
    `SELECT to_jsonb(d) AS "row" FROM ipam.domain d WHERE name = $1`,
    [name],
  );
  await put(client, "domain", rows[0]?.row, domainColumns(row), `domain ${name}`, actor);
}
