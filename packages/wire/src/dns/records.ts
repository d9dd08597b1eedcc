import type { DomainName, NameText } from "./name.ts";
import { TYPES } from "./registry.ts";

/**
 * The shapes RDATA is made of. `name` may be compressed when written (the types of RFC 1035 only, RFC 3597 §4);
 * `plainName` never is. `strings` fills the rest of the RDATA with character-strings, one character an octet.
 */
export interface Shapes<Name> {
  ipv4: number;
  ipv6: bigint;
  u16: number;
  u32: number;
  name: Name;
  plainName: Name;
  strings: readonly string[];
}

export type Shape = keyof Shapes<unknown>;

/** Every RDATA we read: its type and its fields in order. What has no row stays raw (RFC 3597). */
export const RECORDS = {
  A: { address: "ipv4" }, // RFC 1035 §3.4.1
  NS: { host: "name" }, // RFC 1035 §3.3.11
  CNAME: { target: "name" }, // RFC 1035 §3.3.1
  SOA: {
    mname: "name",
    rname: "name",
    serial: "u32",
    refreshSeconds: "u32",
    retrySeconds: "u32",
    expireSeconds: "u32",
    minimumSeconds: "u32", // RFC 2308 §4: the TTL of a "no"
  }, // RFC 1035 §3.3.13
  PTR: { host: "name" }, // RFC 1035 §3.3.12
  MX: { preference: "u16", exchange: "name" }, // RFC 1035 §3.3.9
  TXT: { strings: "strings" }, // RFC 1035 §3.3.14
  AAAA: { address: "ipv6" }, // RFC 3596 §2.2
  SRV: { priority: "u16", weight: "u16", port: "u16", target: "plainName" }, // RFC 2782: no compression
} as const satisfies Record<string, Readonly<Record<string, Shape>>>;

export type RecordType = keyof typeof RECORDS;

type Fields<Row, Name> = { readonly [Field in keyof Row]: Row[Field] extends Shape ? Shapes<Name>[Row[Field]] : never };

type Typed<T extends RecordType, Name> = { readonly is: T } & Fields<(typeof RECORDS)[T], Name>;

/** The data of one type, its names as values: what travels from the IPAM to a server's bytes. */
export type RecordData<T extends RecordType = RecordType> = { [Each in T]: Typed<Each, DomainName> }[T];

/** The data of a decoded record, its names as text: `is` names its row of the table, `raw` where it has none. */
export type Data =
  | { [T in RecordType]: Typed<T, NameText> }[RecordType]
  | { readonly is: "raw"; readonly bytes: Uint8Array };

/** The row for a type code, in order of its fields. */
export function rowOf(
  type: number,
): { readonly is: RecordType; readonly fields: readonly (readonly [string, Shape])[] } | undefined {
  return ROWS.get(type);
}

const ROWS = new Map(
  Object.entries(RECORDS).map(([is, row]) => [
    TYPES.of[is as RecordType],
    { is: is as RecordType, fields: Object.entries(row) as [string, Shape][] },
  ]),
);
