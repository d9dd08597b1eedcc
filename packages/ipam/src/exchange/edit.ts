import { formatAddress, parseAddress, parseMac, assertParsed } from "@firstlight/wire";
import type { ExpectedMachines, IpamConfig } from "../config.ts";
import type { FieldTable } from "../fields/field.ts";
import { PREFIX_FIELDS } from "../fields/prefix.ts";
import { RESERVATION_FIELDS } from "../fields/reservation.ts";
import { SEGMENT_OPTION_FIELDS } from "../fields/segment-option.ts";
import { SEGMENT_FIELDS } from "../fields/segment.ts";
import { plainOf } from "../fields/sheet-column.ts";
import { fromCell, readValues, type Refusal } from "../fields/values.ts";
import type { Name, Role } from "../model/model.ts";
import type { PoolEdit } from "../pool/pool.ts";
import type { ReservationEdit, SegmentEdit } from "../store/store.ts";
import { devicesOf, prefixEdit as declaredPrefixEdit, reservationEdit } from "../store/declare.ts";
import type { Device } from "../store/device/expect.ts";
import type { NameEdit } from "../store/dns/names.ts";
import type { Json, StoredRow } from "../database/rows.ts";
import type { Wanted } from "./judge.ts";
import { KINDS, type SheetKind } from "./kinds.ts";
import type { Cells } from "./sheet.ts";

/** What a row changes of a segment; a new one has no prefixes yet. */
export function segmentEdit(
  { cells, changed }: Wanted,
  before: StoredRow<"segment"> | undefined,
): Partial<SegmentEdit> {
  const names = new Set(changed.map(({ column }) => column));
  const values = valuesOf(SEGMENT_FIELDS, cells, names);
  const edit: Record<string, unknown> = readValues(SEGMENT_FIELDS, values, unreadable);
  if (!before || Object.keys(SEGMENT_OPTION_FIELDS).some((name) => names.has(name)))
    edit["options"] = { ...before?.options, ...valuesOf(SEGMENT_OPTION_FIELDS, cells) };
  return before ? edit : { vlan: undefined, vni: undefined, ...edit, prefixes: [] };
}

/** A row as a segment's edit has a prefix. */
export function prefixEdit({ cells }: Wanted): SegmentEdit["prefixes"][number] {
  return declaredPrefixEdit(valuesOf(PREFIX_FIELDS, cells) as unknown as PrefixConfig, unreadable);
}

type PrefixConfig = IpamConfig["segments"][number]["prefixes"][number];

/** Cells were checked before: one that cannot be read is a bug. */
const unreadable: Refusal = (_field, value, because) => new TypeError(`${String(value)}: ${because}`);

/** Cells, all of them or some columns, as the site's file has them. */
function valuesOf(table: FieldTable, cells: Cells, names?: ReadonlySet<string>): Record<string, unknown> {
  const fields = Object.entries(table).filter(([name]) => names === undefined || names.has(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, fromCell(field, cells[name]!)]));
}

/** A row as the table of domains has it. */
export function domainColumns({ cells }: Wanted): Json {
  return {
    name: cells["name"],
    name_servers: valueOf("domains", "nameServers", cells),
    ttl_seconds: Number(cells["ttlSeconds"]),
    negative_ttl_seconds: Number(cells["negativeTtlSeconds"]),
  };
}

/** A row as the store takes a reservation. */
export function reservation({ cells }: Wanted): ReservationEdit {
  const { segment, address, mac, uuid, clientId, relay, circuitId, remoteId } = cells;
  return reservationEdit({
    segment: segment!,
    address: address!,
    ...(mac && { mac }),
    ...(uuid && { uuid }),
    ...(clientId && { clientId }),
    ...(relay && { port: { relay, circuitId: circuitId!, ...(remoteId && { remoteId }) } }),
    ...valuesOf(RESERVATION_FIELDS, cells),
  });
}

/** A row as the store takes a declared record. */
export function record({ cells }: Wanted): NameEdit {
  const { owner, type, data, ttlSeconds, domain } = cells;
  return { owner: owner!, type: type as Name["type"], data: data!, ttlSeconds: Number(ttlSeconds), zone: domain! };
}

/** A row as the store takes a pool. */
export function pool({ cells }: Wanted): PoolEdit {
  const { name, kind, length } = cells;
  const list = (column: string): readonly string[] => valueOf("pools", column, cells) as readonly string[];
  return {
    name: name!,
    is: kind as PoolEdit["is"],
    ...(length && { length: Number(length) }),
    ranges: list("ranges"),
    excluded: list("excluded"),
  };
}

/** Devices as the store wants them; one without a label is named as the site's file would name it. */
export function devices(rows: readonly Wanted[]): Device[] {
  const machines: ExpectedMachines = [...Map.groupBy(rows, ({ cells }) => cells["machine"]).values()].map((group) => ({
    name: group[0]!.cells["machine"]!,
    interfaces: group.map(({ cells: { mac, role, label, address, segment } }) => ({
      mac: mac!,
      role: role as Role,
      ...(label && { label }),
      ...(address && { address: formatAddress(assertParsed(parseAddress(address), address)) }),
      ...(segment && { segment }),
    })),
  }));
  const serials = new Map(
    rows.map(({ cells }) => [assertParsed(parseMac(cells["mac"]!), cells["mac"]!), cells["serial"]]),
  );
  return devicesOf(machines).map((device) => {
    const serial = serials.get(device.mac);
    return serial ? { ...device, serial } : device;
  });
}

/** The value of a cell; an empty one is not there. */
function valueOf(kind: SheetKind, column: string, cells: Cells): unknown {
  return plainOf(KINDS[kind].columns[column]!, cells[column]!) ?? undefined;
}
