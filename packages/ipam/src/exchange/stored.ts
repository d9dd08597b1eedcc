import type pg from "pg";
import { PREFIX_FIELDS } from "../fields/prefix.ts";
import { RESERVATION_FIELDS } from "../fields/reservation.ts";
import { SEGMENT_OPTION_FIELDS } from "../fields/segment-option.ts";
import { SEGMENT_FIELDS } from "../fields/segment.ts";
import { cellsOf, writeValues } from "../fields/values.ts";
import type { Segment } from "../model/model.ts";
import { listPools } from "../store/pool/pools.ts";
import { type Json, rowFrom } from "../database/rows.ts";
import { textOf } from "../fields/sheet-column.ts";
import { keyOfCells, type SheetKind } from "./kinds.ts";
import type { Cells } from "./sheet.ts";

type Stored = Readonly<Record<string, unknown>>;

/** What each kind's columns are in the database, in the order of the keys. */
const SELECT: Readonly<Record<Exclude<SheetKind, "pools">, string>> = {
  domains: `SELECT name, name_servers AS "nameServers", ttl_seconds AS "ttlSeconds", negative_ttl_seconds AS "negativeTtlSeconds"
    FROM ipam.domain ORDER BY name`,
  segments: `SELECT to_jsonb(s) AS "row", d.name AS domain FROM ipam.segment s JOIN ipam.domain d ON d.id = s.domain ORDER BY s.name`,
  prefixes: `SELECT to_jsonb(p) AS "row", s.name AS segment FROM ipam.prefix p JOIN ipam.segment s ON s.id = p.segment
    ORDER BY s.name, p.prefix`,
  reservations: `SELECT s.name AS segment, host(r.address) AS address, r.identity, to_jsonb(r) AS "row"
    FROM ipam.reservation r JOIN ipam.segment s ON s.id = r.segment WHERE r.origin = 'declared' ORDER BY s.name, r.address`,
  expected: `SELECT e.mac::text, e.machine, e.role, e.serial, e.label, host(e.address) AS address, s.name AS segment
    FROM ipam.expected_device e LEFT JOIN ipam.segment s ON s.id = e.segment ORDER BY e.machine, e.mac`,
  names: `SELECT n.owner, n.type, n.data, n.ttl_seconds AS "ttlSeconds", d.name AS domain
    FROM ipam.name n JOIN ipam.domain d ON d.id = n.domain ORDER BY n.owner, n.type, n.data`,
};

const CELLS: Readonly<Record<SheetKind, (row: Stored) => Cells>> = {
  domains: texts,
  pools: ({ name, is, length, ranges, excluded }) => texts({ name, kind: is, length, ranges, excluded }),
  segments: ({ row, domain }) => segmentCells(rowFrom("segment", row as Json), domain as string),
  prefixes: ({ row, segment }) => ({
    segment: segment as string,
    ...cellsOf(PREFIX_FIELDS, writeValues(PREFIX_FIELDS, rowFrom("prefix", row as Json))),
  }),
  reservations: ({ segment, address, identity, row }) => ({
    ...texts({ segment, address }),
    ...identityCells(identity as string),
    ...cellsOf(RESERVATION_FIELDS, writeValues(RESERVATION_FIELDS, rowFrom("reservation", row as Json))),
  }),
  expected: texts,
  names: texts,
};

/** All rows of a kind, as a sheet has them. */
export async function stored(client: pg.ClientBase | pg.Pool, kind: SheetKind): Promise<Cells[]> {
  const rows = kind === "pools" ? await listPools(client) : (await client.query<Stored>(SELECT[kind])).rows;
  return (rows as readonly Stored[]).map(CELLS[kind]);
}

export function byKey(kind: SheetKind, rows: readonly Cells[]): Map<string, Cells> {
  return new Map(rows.map((cells) => [keyOfCells(kind, cells), cells]));
}

function texts(row: Stored): Cells {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)!]));
}

/** A number that a resource pool gave is written as the pool. */
function segmentCells(segment: Segment, domain: string): Cells {
  const pools = Object.entries(segment.fromPools ?? {}).map(([field, pool]) => [field, `pool:${pool}`]);
  const values = { ...writeValues(SEGMENT_FIELDS, segment), domain, ...Object.fromEntries(pools) };
  return { ...cellsOf(SEGMENT_FIELDS, values), ...cellsOf(SEGMENT_OPTION_FIELDS, segment.options) };
}

/** An identity as `identity.ts` writes it, in the words of the site's file. */
function identityCells(identity: string): Cells {
  const [kind, value = ""] = identity.split(" ");
  const none = { mac: "", uuid: "", clientId: "", relay: "", circuitId: "", remoteId: "" };
  if (kind === "mac") return { ...none, mac: value };
  if (kind === "uuid") return { ...none, uuid: value.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") };
  if (kind === "client-id") return { ...none, clientId: `0x${value}` };
  const [relay = "", circuitId = "", remoteId] = value.split("/");
  return { ...none, relay, circuitId: `0x${circuitId}`, remoteId: remoteId === undefined ? "" : `0x${remoteId}` };
}
