import { Malformed } from "@firstlight/wire";
import { expectedMachinesSchema, ipamSchema } from "../config.ts";
import { PREFIX_FIELDS } from "../fields/prefix.ts";
import { RESERVATION_FIELDS } from "../fields/reservation.ts";
import { SEGMENT_OPTION_FIELDS } from "../fields/segment-option.ts";
import { SEGMENT_FIELDS } from "../fields/segment.ts";
import { asAddress, asLower, asMac, type SheetColumn } from "../fields/sheet-column.ts";
import { sheetColumns } from "../fields/values.ts";
import { poolRanges } from "./ranges.ts";
import type { Cells } from "./sheet.ts";
import type { CellFault } from "./cell-fault.ts";

export type SheetKind = "domains" | "pools" | "segments" | "prefixes" | "reservations" | "expected" | "names";

/** A kind of sheet: its columns, in the order in which they are written. */
export interface Kind {
  readonly columns: Readonly<Record<string, SheetColumn>>;
  /** Columns of which a row has one: those that are not written go when one is. */
  readonly oneOf?: readonly string[];
  /** What no single cell can tell. */
  readonly check?: (cells: Cells) => CellFault | undefined;
  /** What no two rows may share beside the key. */
  readonly unique?: (cells: Cells) => string;
  /** The one form of cells whose form depends on one another. */
  readonly settle?: (cells: Cells) => Cells | CellFault;
}

const domain = ipamSchema.shape.domains.unwrap().element.shape;
const pool = ipamSchema.shape.pools.unwrap().element.shape;
const name = ipamSchema.shape.names.unwrap().element.shape;
const reservation = ipamSchema.shape.reservations.unwrap().element.shape;
const port = reservation.port.unwrap().shape;
const machine = expectedMachinesSchema.unwrap().element.shape;
const device = machine.interfaces.element.shape;

const key = (column: Omit<SheetColumn, "is">): SheetColumn => ({ ...column, is: "key" });
const segmentKey = key({ form: "text", schema: SEGMENT_FIELDS.name.schema });
const asBytes = (text: string): string =>
  /^0x/i.test(text) ? text.toLowerCase() : `0x${Buffer.from(text, "latin1").toString("hex")}`;

/** As the API's NameService takes it. */
function asOwner(text: string): string | Malformed {
  const owner = text.toLowerCase().replace(/\.$/, "");
  return /^(\*\.)?[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(owner)
    ? owner
    : new Malformed("want a fully qualified host name");
}

const IDENTITIES = ["mac", "uuid", "clientId", "relay", "circuitId", "remoteId"] as const;

/** Every sheet, in the order in which one builds on the other. */
export const KINDS: Readonly<Record<SheetKind, Kind>> = {
  domains: {
    columns: {
      name: key({ form: "text", schema: domain.name }),
      nameServers: { form: "list", schema: domain.nameServers, otherwise: "ns1" },
      ttlSeconds: { form: "whole", schema: domain.ttlSeconds, otherwise: "60" },
      negativeTtlSeconds: { form: "whole", schema: domain.negativeTtlSeconds, otherwise: "5" },
    },
  },
  pools: {
    columns: {
      name: key({ form: "text", schema: pool.name }),
      kind: { form: "text", schema: pool.kind, is: "required" },
      length: { form: "whole", schema: pool.length },
      ranges: { form: "list", schema: pool.ranges, is: "required" },
      excluded: { form: "list", schema: pool.excluded, otherwise: "[]" },
    },
    check: ({ kind, length }) =>
      (kind === "prefix") === (length !== "")
        ? undefined
        : { column: "length", because: "length is for prefix pools, and they need it" },
    settle: poolRanges,
  },
  segments: { columns: { ...sheetColumns(SEGMENT_FIELDS), ...sheetColumns(SEGMENT_OPTION_FIELDS) } },
  prefixes: { columns: { segment: segmentKey, ...sheetColumns(PREFIX_FIELDS) } },
  reservations: {
    columns: {
      segment: segmentKey,
      address: key({ form: "text", canonical: asAddress }),
      mac: { form: "text", schema: device.mac, canonical: asMac },
      uuid: { form: "text", schema: reservation.uuid, canonical: asLower },
      clientId: { form: "text", schema: reservation.clientId, canonical: asBytes },
      relay: { form: "text", schema: port.relay, canonical: asAddress },
      circuitId: { form: "text", schema: port.circuitId, canonical: asBytes },
      remoteId: { form: "text", schema: port.remoteId, canonical: asBytes },
      ...sheetColumns(RESERVATION_FIELDS),
    },
    oneOf: IDENTITIES,
    unique: ({ segment, address, ...cells }) => {
      const identity = IDENTITIES.flatMap((name) => (cells[name] ? [`${name} ${cells[name]}`] : [])).join(" ");
      return `IPv${address!.includes(":") ? 6 : 4} of ${identity} in segment ${segment}`;
    },
    check({ mac, uuid, clientId, relay, circuitId, remoteId }) {
      const port = relay || circuitId || remoteId;
      const said = [mac, uuid, clientId, port].filter(Boolean).length;
      if (said !== 1) return { column: "mac", because: "want one of mac, uuid, clientId, and relay with circuitId" };
      if (port && !relay) return { column: "relay", because: "a switch port is a relay with a circuitId" };
      return port && !circuitId
        ? { column: "circuitId", because: "a switch port is a relay with a circuitId" }
        : undefined;
    },
  },
  expected: {
    columns: {
      mac: key({ form: "text", schema: device.mac, canonical: asMac }),
      machine: { form: "text", schema: machine.name, is: "required" },
      role: { form: "text", schema: device.role, is: "required" },
      serial: { form: "text", schema: machine.serial, isFree: true },
      label: { form: "text", schema: device.label, canonical: asLower },
      address: { form: "text", canonical: asAddress },
      segment: { form: "text", schema: device.segment },
    },
  },
  names: {
    columns: {
      owner: key({ form: "text", schema: name.owner, canonical: asOwner }),
      type: key({ form: "text", schema: name.type }),
      data: key({ form: "text", schema: name.data, isFree: true }),
      ttlSeconds: { form: "whole", schema: name.ttlSeconds, otherwise: "60" },
      domain: { form: "text", schema: domain.name, isKept: true },
    },
  },
};

export const SHEET_KINDS = Object.keys(KINDS) as SheetKind[];

/** What names a row among its kind. */
export function keyOfCells(kind: SheetKind, cells: Cells): string {
  const keys = Object.entries(KINDS[kind].columns).flatMap(([name, { is }]) => (is === "key" ? [cells[name]] : []));
  return keys.join(" ");
}
