/**
 * Rows as PostgreSQL writes them (`to_jsonb(row)`, in tables, changes and outcomes alike) and as the model has them.
 * One line per column that is more than its JSON value; a column nobody names here is taken over under its own name.
 */
import { formatAddress, formatMac, isMalformed, parseAddress, parseMac } from "@firstlight/wire";
import { columnsOf, type FieldTable } from "../fields/field.ts";
import { PREFIX_FIELDS } from "../fields/prefix.ts";
import { RESERVATION_FIELDS } from "../fields/reservation.ts";
import { SEGMENT_FIELDS } from "../fields/segment.ts";
import type { ClientIdentity } from "../model/identity.ts";
import type { Interface, Kind, PrefixRow, Row, Segment } from "../model/model.ts";

export type Json = Readonly<Record<string, unknown>>;
type Reader = (value: never) => unknown;

/** The columns that the store reads by name, as PostgreSQL writes them (`to_jsonb`). All others are for the feed and `rowFrom`. */
interface StoredColumns {
  readonly domain: { readonly id: number; readonly name: string };
  readonly segment: {
    readonly id: number;
    readonly name: string;
    readonly vrf: string;
    readonly domain: number;
    readonly policy: Segment["policy"];
    readonly naming: Segment["naming"];
    readonly state: NonNullable<Segment["state"]>;
    readonly lease_seconds: number;
    readonly drain_seconds: number | null;
    readonly from_pools: Readonly<Record<string, string>> | null;
    readonly options: Segment["options"];
  };
  readonly prefix: { readonly id: number; readonly prefix: string; readonly state: PrefixRow["state"] };
  readonly expected: {
    readonly mac: string;
    readonly machine: string;
    readonly role: string;
    readonly label: string;
    readonly address: string | null;
  };
  readonly reservation: { readonly id: number; readonly address: string; readonly identity: string };
  readonly interface: {
    readonly id: number;
    readonly mac: string | null;
    readonly identity: string | null;
    readonly label: string | null;
    readonly state: Interface["state"] | null;
  };
  readonly lease: { readonly vrf: string; readonly address: string };
  readonly name: { readonly id: number; readonly owner: string };
}

/** A row of a table as JSON. */
export type StoredRow<K extends Kind> = Json & StoredColumns[K];

/** The table of each kind, in the order in which a reader wants to load them. */
export const TABLES: Readonly<Record<Kind, string>> = {
  domain: "ipam.domain",
  segment: "ipam.segment",
  prefix: "ipam.prefix",
  expected: "ipam.expected_device",
  reservation: "ipam.reservation",
  interface: "ipam.interface",
  lease: "ipam.lease",
  name: "ipam.name",
};

const COLUMNS: Readonly<Record<Kind, Readonly<Record<string, Reader>>>> = {
  domain: {},
  segment: { ...readersOf(SEGMENT_FIELDS), drain_by: Date.parse, from_pools: filled },
  prefix: { ...readersOf(PREFIX_FIELDS), drain_by: Date.parse },
  expected: { mac, address },
  reservation: { ...readersOf(RESERVATION_FIELDS), address },
  interface: { mac, domain: () => undefined }, // the segment's, repeated for a constraint
  lease: {
    address: networkAddress,
    mac,
    starts_at: Date.parse,
    expires_at: Date.parse,
    reusable_at: Date.parse,
    client_id: bytes,
    giaddr: address,
    circuit_id: bytes,
    remote_id: bytes,
  },
  name: {},
};

/** A row of the model. What the database says of itself is believed: a value that cannot be read is a bug. */
export function rowFrom<K extends Kind>(kind: K, json: Json): Extract<Row, { kind: K }> {
  const row: Record<string, unknown> = { kind };
  const readers = COLUMNS[kind];
  for (const column in json) {
    if (json[column] === null) continue;
    const read = readers[column] as ((value: unknown) => unknown) | undefined;
    const value = read ? read(json[column]) : json[column];
    if (value !== undefined) row[column === "mac" && kind !== "expected" ? "identity" : fieldOf(column)] = value;
  }
  if (kind === "lease") {
    foldRelay(row);
    const length = MASK.exec(json["address"] as string);
    if (length) row["prefixLength"] = Number(length[1]);
  }
  return row as unknown as Extract<Row, { kind: K }>;
}

/** The key a change of this row carries, as `keyOf` writes it. */
export function keyOfJson(kind: Kind, json: Json): string {
  if (kind === "lease") return `${json["vrf"] as string}/${json["address"] as string}`;
  return String(kind === "expected" ? json["mac"] : json["id"]);
}

function foldRelay(row: Record<string, unknown>): void {
  const { giaddr, circuitId, remoteId } = row;
  if (giaddr !== undefined) {
    row["relay"] = {
      giaddr,
      ...(circuitId !== undefined && { circuitId }),
      ...(remoteId !== undefined && { remoteId }),
    };
  }
  delete row["giaddr"];
  delete row["circuitId"];
  delete row["remoteId"];
}

/** The length in a delegated prefix: `2001:db8:1::/56`. */
const MASK = /\/(\d+)$/;

const fields = new Map<string, string>();

/** `lease_seconds` is `leaseSeconds`. */
function fieldOf(column: string): string {
  let field = fields.get(column);
  if (field === undefined)
    fields.set(column, (field = column.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())));
  return field;
}

/** Readers of the columns whose JSON is not the field's value. */
function readersOf(table: FieldTable): Record<string, Reader> {
  const readers = columnsOf(table).flatMap(([, column, { conversion }]) =>
    conversion === undefined ? [] : [[column, readerOf(conversion.fromColumn)] as const],
  );
  return Object.fromEntries(readers);
}

function readerOf(fromColumn: (json: never, within: string) => unknown): Reader {
  return (json) => read(fromColumn(json, ""), JSON.stringify(json));
}

function address(text: string): unknown {
  return read(parseAddress(text), text);
}

/** Of a delegated prefix, which is written as an address with its length. */
function networkAddress(text: string): unknown {
  return address(text.replace(MASK, ""));
}

function filled(map: object): unknown {
  return Object.keys(map).length === 0 ? undefined : map;
}

function mac(text: string): unknown {
  return read(parseMac(text), text);
}

function bytes(text: string): unknown {
  return Uint8Array.from(Buffer.from(text.slice(2), "hex")); // `\x0102`
}

function read(value: unknown, text: string): unknown {
  if (isMalformed(value)) throw new Error(`the database holds ${text}: ${value.because}`);
  return value;
}

/** Parameters as PostgreSQL reads them; absent is NULL. */
export const toMac = formatMac;
export const toAddress = formatAddress;

/** The column that identifies an interface, and its type: a MAC's own, or the text of another identity. */
export type IdentityColumn = keyof typeof IDENTITY_TYPES;
export const IDENTITY_TYPES = { mac: "macaddr", identity: "text" } as const;

export function identityColumnOf(identity: ClientIdentity): IdentityColumn {
  return typeof identity === "number" ? "mac" : "identity";
}

/** The value of that column. */
export function toIdentity(identity: ClientIdentity): string {
  return typeof identity === "number" ? toMac(identity) : identity;
}

/** An array of what needs no quotes: numbers, addresses, MACs, words of ours. */
export function unquotedArray(list: readonly (string | number | boolean | null)[]): string {
  let text = "{";
  for (let n = 0; n < list.length; n++) text += `${n === 0 ? "" : ","}${list[n] ?? "NULL"}`;
  return `${text}}`;
}

export function toBytes(value: Uint8Array | undefined): Buffer | null {
  return value ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null;
}
