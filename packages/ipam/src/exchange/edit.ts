import { formatAddress, parseAddress, parseMac, parsePrefix, sound } from "@firstlight/wire";
import type { ExpectedMachines } from "../config.ts";
import type { DrainState, Name, Role, Segment } from "../model.ts";
import type { PoolEdit } from "../pool/pool.ts";
import type { ReservationEdit, SegmentEdit } from "../store.ts";
import { devicesOf, reservationEdit, reservedRange, rolePool } from "../store/declare.ts";
import type { Device } from "../store/expect.ts";
import type { NameEdit } from "../store/names.ts";
import type { Json } from "../store/rows.ts";
import { plainOf, poolIn } from "./column.ts";
import type { Wanted } from "./judge.ts";
import { KINDS, type SheetKind } from "./kinds.ts";
import type { Cells } from "./sheet.ts";

/** What a row changes of a segment; a new one has no prefixes yet. */
export function segmentEdit({ cells, changed }: Wanted, before: Json | undefined): Partial<SegmentEdit> {
  const edit: Record<string, unknown> = {};
  for (const { column } of changed) edit[FIELDS[column] ?? column] = valueOf("segments", column, cells);
  if (!before || OPTIONS.some((name) => name in edit)) edit["options"] = optionsOf(cells, before);
  for (const name of OPTIONS) delete edit[name];
  for (const name in edit) {
    const pool = KINDS.segments.columns[name]?.isPooled === true ? poolIn(edit[name]) : undefined;
    if (pool !== undefined) edit[name] = { pool };
  }
  if (typeof edit["loopback"] === "string") edit["loopback"] = sound(parseAddress(edit["loopback"]), edit["loopback"]);
  const whole: Record<string, unknown> = { vlan: undefined, vni: undefined, ...edit, prefixes: [] };
  return before ? edit : whole;
}

/** A row as a segment's edit has a prefix. */
export function prefixEdit({ cells }: Wanted): SegmentEdit["prefixes"][number] {
  return {
    prefix: sound(parsePrefix(cells["prefix"]!), cells["prefix"]!),
    ...(cells["gateway"] !== "" && { gateway: sound(parseAddress(cells["gateway"]!), cells["gateway"]!) }),
    reserved: Number(cells["reserved"]),
    excluded: (valueOf("prefixes", "excluded", cells) as string[]).map((text) => sound(parseAddress(text), text)),
    reservedRanges: (valueOf("prefixes", "reservedRanges", cells) as string[]).map((text) =>
      reservedRange(cells["prefix"]!, text),
    ),
    pools: (valueOf("prefixes", "pools", cells) as string[]).map((text) => {
      const [range, roles] = text.split("=");
      const [from, to] = range!.split("-");
      return rolePool({ from: from!, to: to!, roles: roles!.split("+") as Role[] });
    }),
    state: cells["state"] as DrainState,
  };
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
      ...(address && { address: formatAddress(sound(parseAddress(address), address)) }),
      ...(segment && { segment }),
    })),
  }));
  const serials = new Map(rows.map(({ cells }) => [sound(parseMac(cells["mac"]!), cells["mac"]!), cells["serial"]]));
  return devicesOf(machines).map((device) => {
    const serial = serials.get(device.mac);
    return serial ? { ...device, serial } : device;
  });
}
const FIELDS: Readonly<Record<string, string>> = { kind: "is" };

const OPTIONS = ["routers", "domainNameServers", "ntpServers", "domainSearch", "staticRoutes"] as const;

/** Options that no sheet has a column for stay. */
function optionsOf(cells: Cells, before: Json | undefined): Segment["options"] {
  const said = OPTIONS.map(
    (name) => [name, cells[name] === "" ? undefined : valueOf("segments", name, cells)] as const,
  );
  const { staticRoutes, ...options } = Object.fromEntries(said);
  const routes = (staticRoutes as readonly string[] | undefined)?.map((route) => {
    const [to, via] = route.split("=");
    return { to: to!, via: via! };
  });
  return {
    ...(before?.["options"] as Segment["options"]),
    ...options,
    staticRoutes: routes,
  } as Segment["options"];
}

/** The value of a cell; an empty one is not there. */
function valueOf(kind: SheetKind, column: string, cells: Cells): unknown {
  return plainOf(KINDS[kind].columns[column]!, cells[column]!) ?? undefined;
}
