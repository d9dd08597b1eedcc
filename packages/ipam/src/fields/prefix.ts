import {
  type Address,
  contains,
  formatAddress,
  formatPrefix,
  isIPv4,
  isMalformed,
  last,
  Malformed,
  parseAddress,
  parsePrefix,
  type Prefix,
  assertParsed,
} from "@firstlight/wire";
import { z } from "zod";
import { readRange } from "../pool/slot.ts";
import { Refused } from "../model/refused.ts";
import { ADDRESS, type Cell, type Conversion, type Field } from "./field.ts";
import { DRAIN_STATES, type Role, ROLES } from "./lists.ts";
import { address, prefix } from "./schemas.ts";
import { asAddress, asPrefix } from "./sheet-column.ts";

/** Both ends included. */
export interface AddressRange {
  readonly first: Address;
  readonly last: Address;
}

/** A range for interfaces of these roles: no other gets an address in it, and they get none elsewhere. */
export interface RolePool extends AddressRange {
  readonly roles: readonly Role[];
}

const rolePoolSchema = z.strictObject({
  from: address.describe("Its first address"),
  to: address.describe("Its last one"),
  roles: z.array(z.enum(ROLES)).min(1).describe("Whose it is: they get addresses here alone, and no other role does"),
});
type FilePool = z.output<typeof rolePoolSchema>;

const PREFIX: Conversion<string, Prefix> = {
  read: parsePrefix,
  write: formatPrefix,
  toColumn: formatPrefix,
  fromColumn: parsePrefix,
};

const ADDRESSES: Conversion<readonly string[], readonly Address[]> = {
  read(texts) {
    const addresses = texts.map(parseAddress);
    return addresses.find(isMalformed) ?? (addresses as Address[]);
  },
  write: (addresses) => addresses.map(formatAddress),
  toColumn: (addresses) => addresses.map(formatAddress),
  fromColumn: (list: readonly string[]) => list.map((text) => assertParsed(parseAddress(text), text)),
};

const RANGES: Conversion<readonly string[], readonly AddressRange[]> = {
  read: (texts, within) => texts.map((text) => reservedRange(within, text)),
  write: (ranges) =>
    ranges.map((range) => (range.first === range.last ? formatAddress(range.first) : ends(range).join("-"))),
  toColumn: (ranges) => ranges.map(ends),
  fromColumn: (list: readonly [string, string][]) =>
    list.length === 0 ? undefined : list.map(([first, end]) => rangeOf(first, end)),
};

const ROLE_POOLS: Conversion<readonly FilePool[], readonly RolePool[]> = {
  read: (pools) => pools.map(({ from, to, roles }) => ({ ...rangeOf(from, to), roles })),
  write: (pools) => pools.map((pool) => ({ from: ends(pool)[0], to: ends(pool)[1], roles: [...pool.roles] })),
  toColumn: (pools) => pools.map((pool) => ({ first: ends(pool)[0], last: ends(pool)[1], roles: pool.roles })),
  fromColumn: (list: readonly { readonly first: string; readonly last: string; readonly roles: Role[] }[]) =>
    list.length === 0 ? undefined : list.map(({ first, last: end, roles }) => ({ ...rangeOf(first, end), roles })),
};

/** The settings of a prefix, in the order of the site's file and of its sheet (whose first column is the segment). */
export const PREFIX_FIELDS = {
  prefix: {
    schema: prefix.describe("IPv4 or IPv6, without host bits; no two overlap in one vrf"),
    sql: "cidr",
    sheet: { form: "text", canonical: asPrefix, is: "key" },
    usesCanonicalOnly: true,
    conversion: PREFIX,
  },
  gateway: {
    schema: address.optional().describe("In the prefix; never given"),
    sql: "inet",
    sheet: { form: "text", canonical: asAddress },
    usesCanonicalOnly: true,
    conversion: ADDRESS,
  },
  /** Addresses at the head that are never given, the network address included. */
  reserved: {
    schema: z.int().min(0).max(65_536).default(1).describe("Addresses at the head that are never given"),
    sql: "integer",
    sheet: { form: "whole" },
  },
  /** Never given: SVIs and the like. */
  excluded: {
    schema: z.array(address).default([]).describe("Never given"),
    sql: "ARRAY",
    sheet: { form: "list", canonical: asAddress },
    usesCanonicalOnly: true,
    conversion: ADDRESSES,
  },
  /** Never given either, beyond the head; absent: none. */
  reservedRanges: {
    schema: z.array(z.string()).optional().describe("Never given either: as 10.0.0.50-10.0.0.99, or a prefix"),
    sql: "jsonb",
    sheet: { form: "list", canonical: asRange },
    usesCanonicalOnly: true,
    otherwise: "[]",
    conversion: RANGES,
    cell: { read: (text) => text, write: (text) => assertParsed(asRange(text), text) } satisfies Cell<string>,
    isKept: true,
  },
  /** Ranges for some roles alone, none over another; absent: none. */
  pools: {
    schema: z.array(rolePoolSchema).max(64).optional().describe("Ranges for some roles alone, in the prefix"),
    sql: "jsonb",
    sheet: { form: "list", canonical: asRolePool },
    usesCanonicalOnly: true,
    otherwise: "[]",
    conversion: ROLE_POOLS,
    cell: {
      read(text) {
        const [range, roles] = text.split("=");
        const [from, to] = range!.split("-");
        return { from: from!, to: to!, roles: roles!.split("+") as Role[] };
      },
      write: ({ from, to, roles }) => `${from}-${to}=${roles.join("+")}`,
    } satisfies Cell<FilePool>,
    isKept: true,
  },
  /** Absent: active. */
  state: {
    schema: z.enum(DRAIN_STATES).optional().describe("As a segment's, for this prefix alone"),
    sql: "text",
    sheet: { form: "text" },
    otherwise: "active",
    by: "drain",
    isKept: true,
  },
} as const satisfies Readonly<Record<string, Field>>;

/** A range of addresses in a prefix: its ends, one address, or a prefix inside. */
export function reservedRange(within: string, text: string): AddressRange {
  const inside = assertParsed(parsePrefix(within), within);
  const isV4 = isIPv4(inside.address);
  const range = readRange({ is: isV4 ? "ipv4" : "ipv6" }, text);
  if (isMalformed(range))
    throw new Refused("reserved-range-malformed", { prefix: within, range: text, fault: range.because });
  const [first, end] = [range.first, range.end - 1n].map((slot): Address => (isV4 ? Number(slot) : slot));
  if (!contains(inside, first!) || !contains(inside, end!))
    throw new Refused("reserved-range-outside", { prefix: within, range: text });
  return { first: first!, last: end! };
}

const ends = (range: AddressRange): [string, string] => [formatAddress(range.first), formatAddress(range.last)];

const rangeOf = (first: string, end: string): AddressRange => ({
  first: assertParsed(parseAddress(first), first),
  last: assertParsed(parseAddress(end), end),
});

/** Both ends, however it is written: `10.0.0.50-10.0.0.99`, `10.0.0.64/28`, `10.0.0.7`. */
function asRange(text: string): string | Malformed {
  const whole = parsePrefix(text);
  if (!isMalformed(whole)) return `${formatAddress(whole.address)}-${formatAddress(last(whole))}`;
  const [from, to = from, ...more] = text.split("-");
  const [first, end] = [asAddress(from!), asAddress(to!)];
  if (more.length > 0 || isMalformed(first)) return new Malformed("want FIRST-LAST, an address or a prefix");
  return isMalformed(end) ? end : `${first}-${end}`;
}

/** A pool of a prefix in a cell: `10.0.1.0-10.0.1.255=host_bmc+dpu_bmc`. */
function asRolePool(text: string): string | Malformed {
  const [written, roles, ...more] = text.split("=");
  const list = rolePoolSchema.shape.roles.safeParse(roles?.split("+"));
  if (!list.success || more.length > 0) return new Malformed("want FIRST-LAST=ROLE+ROLE");
  const range = asRange(written!);
  return isMalformed(range) ? range : `${range}=${list.data.join("+")}`;
}
