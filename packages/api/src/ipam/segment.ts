import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  Prefix as WirePrefix,
  Segment as WireSegment,
  SegmentSchema,
} from "@firstlight/api-client/gen/firstlight/v1/ipam_pb.js";
import {
  assignableIn,
  type IpamConfig,
  ipamSchema,
  type AddressRange,
  type PrefixEdit,
  type PrefixRow,
  reservedRange,
  type RolePool,
  rolePool,
  type Segment,
  type SegmentEdit,
  type SegmentOptions,
} from "@firstlight/ipam";
import { formatAddress, formatPrefix, type Prefix } from "@firstlight/wire";
import { addressOf, prefixOf } from "../grpc/field.ts";
import { invalid } from "../grpc/error.ts";

type Declared = IpamConfig["segments"][number];

const declared = ipamSchema.shape.segments.unwrap().element;

/** A segment as an operator wrote it, with the same rules and defaults as in the site's file. */
export function segmentEdit(wire: WireSegment | undefined): SegmentEdit {
  if (!wire) throw invalid("segment", "field-missing");
  return editFrom(parse(declared, written(wire))) as SegmentEdit;
}

/** Only what was written: what an update replaces. */
export function segmentChange(wire: WireSegment | undefined): { name: string; change: Partial<SegmentEdit> } {
  if (!wire || wire.name === "") throw invalid("segment.name", "field-empty");
  const { name, ...rest } = written(wire);
  const mask = Object.fromEntries(Object.keys(rest).map((key) => [key, true as const]));
  return { name, change: editFrom(parse(declared.pick(mask as { mtu: true }), rest) as Partial<Declared>) };
}

function parse<T>(
  schema: { safeParse(value: unknown): { data?: T; error?: { issues: { path: PropertyKey[]; message: string }[] } } },
  value: unknown,
): T {
  const { data, error } = schema.safeParse(value);
  const issue = error?.issues[0];
  if (issue)
    throw invalid(`segment.${issue.path.map(String).map(snake).join(".")}`, "field-malformed", {
      fault: issue.message,
    });
  return data as T;
}

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The fields that are set, in the names of the site's file. */
function written(wire: WireSegment): { name: string } & Record<string, unknown> {
  const { $typeName: _type, $unknown: _unknown, version: _version, drainBy: _by, ...written } = wire;
  const { prefixes, options, name, ...simple } = written;
  const set = Object.entries(simple).filter(([, value]) => value !== undefined);
  return {
    name,
    ...Object.fromEntries(set.map(([key, value]) => pooled(key, value))),
    ...(prefixes.length > 0 && { prefixes: prefixes.map(writtenPrefix) }),
    ...(options && { options: writtenOptions(options) }),
  };
}

/** `vlanPool: "v"` is `vlan: { pool: "v" }` in the site's file. */
function pooled(key: string, value: unknown): readonly [string, unknown] {
  return key.endsWith("Pool") ? [key.slice(0, -"Pool".length), { pool: value }] : [key, value];
}

function writtenPrefix({ prefix, gateway, reserved, excluded, reservedRanges, pools, state }: WirePrefix) {
  return {
    prefix,
    excluded,
    reservedRanges,
    pools: pools.map(({ from, to, roles }) => ({ from, to, roles })),
    ...(gateway && { gateway }),
    ...(reserved > 0 && { reserved }),
    ...(state && { state }),
  };
}

function writtenOptions(options: NonNullable<WireSegment["options"]>) {
  const { routers, domainNameServers, ntpServers, domainSearch, staticRoutes } = options;
  const lists = { routers, domainNameServers, ntpServers, domainSearch };
  return {
    ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)),
    ...(staticRoutes.length > 0 && { staticRoutes: staticRoutes.map(({ to, via }) => ({ to, via })) }),
  };
}

function editFrom({ kind, prefixes, options, loopback, ...same }: Partial<Declared>): Partial<SegmentEdit> {
  return {
    ...(loopback !== undefined && {
      loopback: typeof loopback === "string" ? addressOf(loopback, "segment.loopback") : loopback,
    }),
    ...(Object.fromEntries(Object.entries(same).filter(([, value]) => value !== undefined)) as Partial<SegmentEdit>),
    ...(kind && { is: kind }),
    ...(options && { options: options as SegmentOptions }),
    ...(prefixes && { prefixes: prefixes.map(prefixEdit) }),
  };
}

function prefixEdit(
  { prefix, gateway, reserved, excluded, reservedRanges = [], pools = [], state }: Declared["prefixes"][number],
  i: number,
): SegmentEdit["prefixes"][number] {
  const field = `segment.prefixes.${i}`;
  return {
    prefix: prefixOf(prefix, `${field}.prefix`),
    reserved,
    reservedRanges: reservedRanges.map((text) => reservedRange(prefix, text)),
    excluded: excluded.map((text) => addressOf(text, `${field}.excluded`)),
    pools: pools.map(rolePool),
    ...(state && { state }),
    ...(gateway !== undefined && { gateway: addressOf(gateway, `${field}.gateway`) }),
  };
}

/** As in an answer; `bound` counts the addresses of a prefix that are bound. */
export function segmentToWire(
  segment: Segment,
  domain: string,
  prefixes: readonly (PrefixEdit & Pick<PrefixRow, "drainBy">)[],
  bound: (prefix: Prefix) => number,
): MessageInitShape<typeof SegmentSchema> {
  return {
    name: segment.name,
    kind: segment.is,
    domain,
    vrf: segment.vrf,
    mtu: segment.mtu,
    leaseSeconds: segment.leaseSeconds,
    graceSeconds: segment.graceSeconds,
    admission: segment.admission,
    allocation: segment.allocation,
    policy: segment.policy,
    ...(segment.rehome && { rehome: segment.rehome }),
    naming: segment.naming,
    boots: segment.boots,
    ...numbersToWire(segment),
    state: segment.state ?? "active",
    ...(segment.drainSeconds !== undefined && { drainSeconds: segment.drainSeconds }),
    ...(segment.drainBy !== undefined && { drainBy: timestampFromMs(segment.drainBy) }),
    version: BigInt(segment.version),
    options: optionsToWire(segment.options),
    prefixes: prefixes.map((row) => ({
      prefix: formatPrefix(row.prefix),
      gateway: row.gateway === undefined ? "" : formatAddress(row.gateway),
      reserved: row.reserved,
      excluded: row.excluded.map(formatAddress),
      reservedRanges: (row.reservedRanges ?? []).map(rangeText),
      pools: (row.pools ?? []).map(poolToWire),
      state: row.state ?? "active",
      ...(row.drainBy !== undefined && { drainBy: timestampFromMs(row.drainBy) }),
      assignable: assignable(row),
      bound: BigInt(bound(row.prefix)),
    })),
  };
}

function poolToWire({ first, last, roles }: RolePool) {
  return { from: formatAddress(first), to: formatAddress(last), roles: [...roles] };
}

/** Its numbers, and the pools that gave them. */
function numbersToWire({ vlan, vni, asn, loopback, fromPools = {} }: Segment) {
  return {
    ...(vlan !== undefined && { vlan }),
    ...(vni !== undefined && { vni }),
    ...(asn !== undefined && { asn }),
    ...(loopback !== undefined && { loopback: formatAddress(loopback) }),
    ...Object.fromEntries(Object.entries(fromPools).map(([field, pool]) => [`${field}Pool`, pool])),
  };
}

function optionsToWire(options: SegmentOptions) {
  return {
    routers: [...(options.routers ?? [])],
    domainNameServers: [...(options.domainNameServers ?? [])],
    ntpServers: [...(options.ntpServers ?? [])],
    domainSearch: [...(options.domainSearch ?? [])],
    staticRoutes: (options.staticRoutes ?? []).map((route) => ({ ...route })),
  };
}

const rangeText = ({ first, last }: AddressRange): string =>
  first === last ? formatAddress(first) : `${formatAddress(first)}-${formatAddress(last)}`;

const MOST_UINT64 = 2n ** 64n - 1n;

/** How many addresses can be given, as far as the contract can say. */
function assignable(row: Parameters<typeof assignableIn>[0]): bigint {
  const count = assignableIn(row);
  return count > MOST_UINT64 ? MOST_UINT64 : count;
}
