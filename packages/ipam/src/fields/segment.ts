import { z } from "zod";
import { ADDRESS, type Field } from "./field.ts";
import { ADDRESS_POLICIES, ADMISSIONS, ALLOCATIONS, DRAIN_STATES, NAMINGS, REHOMES, SEGMENT_KINDS } from "./lists.ts";
import { fromPool, label, pooled } from "./schemas.ts";
import { asAddress } from "./sheet-column.ts";

/** The settings of a segment, in the order of the site's file and of its sheet. */
export const SEGMENT_FIELDS = {
  name: { schema: label.describe("Its name: a host label"), sql: "text", sheet: { form: "text", is: "key" } },
  kind: {
    schema: z.enum(SEGMENT_KINDS).default("underlay").describe("Whose broadcast domain it is"),
    sql: "text",
    sheet: { form: "text" },
    row: "is",
  },
  domain: {
    schema: z.string().describe("The domain of its addresses' names"),
    sql: "integer",
    sheet: { form: "text", is: "required" },
    by: "domain",
  },
  /** Underlay segments share `default`. */
  vrf: {
    schema: z.string().default("default").describe("Routing context: addresses are unique in it"),
    sql: "text",
    sheet: { form: "text", isFree: true },
  },
  mtu: {
    schema: z.int().min(576).max(9216).default(1500).describe("Told to clients"),
    sql: "integer",
    sheet: { form: "whole" },
  },
  vlan: {
    schema: pooled(z.int().min(1).max(4094)).describe("For the record: a number, or { pool: NAME } to be given one"),
    sql: "integer",
    sheet: { form: "whole" },
    by: "pool",
  },
  vni: {
    schema: pooled(z.int().min(1).max(16_777_215)).describe("For the record; as vlan"),
    sql: "integer",
    sheet: { form: "whole" },
    by: "pool",
  },
  asn: {
    schema: pooled(z.int().min(1).max(4_294_967_295)).describe("For the record; as vlan"),
    sql: "bigint",
    sheet: { form: "whole" },
    by: "pool",
  },
  /** Of its gateway's router, say; an address outside its prefixes. */
  loopback: {
    schema: z
      .union([z.ipv4(), z.ipv6(), fromPool])
      .optional()
      .describe("For the record: an address, or { pool: NAME } to be given one"),
    sql: "inet",
    sheet: { form: "text", canonical: asAddress },
    usesCanonicalOnly: true,
    conversion: ADDRESS,
    by: "pool",
  },
  leaseSeconds: {
    schema: z.int().min(60).max(31_536_000).default(3600).describe("Length of a lease"),
    sql: "integer",
    sheet: { form: "whole" },
  },
  /** When clients renew, as a share of the lease: T1 of RFC 2131 §4.4.5, before T2 at 87.5 %. Absent: half of it. */
  t1Percent: {
    schema: z.int().min(1).max(87).optional().describe("When clients renew, in percent of the lease; default: 50"),
    sql: "integer",
    sheet: { form: "whole" },
  },
  /** No address is reused before `expiresAt + graceSeconds`. */
  graceSeconds: {
    schema: z.int().min(0).max(31_536_000).default(86_400).describe("Rest of a freed address before reuse"),
    sql: "integer",
    sheet: { form: "whole" },
  },
  /** `expected`: only devices of the expected list get an address. */
  admission: {
    schema: z.enum(ADMISSIONS).default("open").describe("Who gets an address: anybody, or expected devices alone"),
    sql: "text",
    sheet: { form: "text" },
  },
  /** `dynamic`: placed by hash of the identity. `sequential`: lowest free. `reserved`: only declared addresses. */
  allocation: {
    schema: z
      .enum(ALLOCATIONS)
      .default("dynamic")
      .describe("Which address: by hash of the MAC, the lowest free, or declared ones alone"),
    sql: "text",
    sheet: { form: "text" },
  },
  policy: {
    schema: z.enum(ADDRESS_POLICIES).default("dynamic").describe("How long an address stays its interface's"),
    sql: "text",
    sheet: { form: "text" },
  },
  /**
   * What becomes of a promise that runs here when its device turns up on another segment. `move`: device, machine and name
   * are there from then on. `keep`: they stay here until it is over. `refuse`: the device gets no address there until
   * then. Absent: `keep` where machines are somebody else's (tenant, host_inband), else `move`.
   */
  rehome: {
    schema: z
      .enum(REHOMES)
      .optional()
      .describe(
        "A device that turns up on another segment of this kind: its machine and name move there, stay here, or it gets no address there, while its promise here runs; default: keep for tenant and host_inband, else move",
      ),
    sql: "text",
    sheet: { form: "text" },
  },
  /**
   * Where names come from: a device's `serial` or `machine`, else its declared label, else the interface's `address` or
   * `mac`. `declared`: what has no label has no name.
   */
  naming: {
    schema: z.enum(NAMINGS).default("address").describe("What names its interfaces"),
    sql: "text",
    sheet: { form: "text" },
  },
  /** Whether dhcpd offers something to boot here; the order of transports is the firmware's choice. */
  boots: {
    schema: z.boolean().default(true).describe("Whether dhcpd offers something to boot"),
    sql: "boolean",
    sheet: { form: "flag" },
  },
  /** `draining`: all its prefixes are. Absent: active. */
  state: {
    schema: z
      .enum(DRAIN_STATES)
      .optional()
      .describe("draining: gives no new address, its holders move on; default: as it is"),
    sql: "text",
    sheet: { form: "text" },
    otherwise: "active",
    by: "drain",
    isKept: true,
  },
  /** How long holders renew from the drain's beginning; absent: one lease. */
  drainSeconds: {
    schema: z
      .int()
      .min(0)
      .max(31_536_000)
      .optional()
      .describe("How long holders still renew in what drains; default: leaseSeconds"),
    sql: "integer",
    sheet: { form: "whole" },
  },
} as const satisfies Readonly<Record<string, Field>>;

/** The settings that a resource pool may give. */
export type PooledField = {
  [K in keyof typeof SEGMENT_FIELDS]: (typeof SEGMENT_FIELDS)[K] extends { readonly by: "pool" } ? K : never;
}[keyof typeof SEGMENT_FIELDS];
export const POOLED_FIELDS = Object.entries(SEGMENT_FIELDS).flatMap(([name, field]) =>
  "by" in field && field.by === "pool" ? [name as PooledField] : [],
);

/** The bounds of a number that a pool may give, or undefined: the setting is an address. */
export function boundsOf(field: PooledField): { readonly least: number; readonly most: number } | undefined {
  const [own] = SEGMENT_FIELDS[field].schema.unwrap().options;
  return own instanceof z.ZodNumber ? { least: own.minValue!, most: own.maxValue! } : undefined;
}
