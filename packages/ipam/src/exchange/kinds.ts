import { formatAddress, isMalformed, last, Malformed, parsePrefix } from "@firstlight/wire";
import { expectedMachinesSchema, ipamSchema } from "../config.ts";
import { asAddress, asLower, asMac, asPrefix, type Column, textOf } from "./column.ts";
import { poolRanges } from "./ranges.ts";
import type { Cells } from "./sheet.ts";

export type SheetKind = "domains" | "pools" | "segments" | "prefixes" | "reservations" | "expected" | "names";

/** What is wrong with a row, and in which of its cells. */
export interface CellFault {
  readonly column: string;
  readonly because: string;
}

/** A kind of sheet: its columns, in the order in which they are written. */
export interface Kind {
  readonly columns: Readonly<Record<string, Column>>;
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
const segment = ipamSchema.shape.segments.unwrap().element.shape;
const options = segment.options.unwrap().shape;
const prefix = segment.prefixes.element.shape;
const rolePool = prefix.pools.unwrap().element.shape;
const reservation = ipamSchema.shape.reservations.unwrap().element.shape;
const port = reservation.port.unwrap().shape;
const machine = expectedMachinesSchema.unwrap().element.shape;
const device = machine.interfaces.element.shape;

/** The file's own defaults: what a segment is of which nothing more is said. */
const [DEFAULTS] = ipamSchema.parse({
  domains: [],
  segments: [{ name: "a", domain: "a", prefixes: [{ prefix: "10.0.0.0/8" }] }],
}).segments;

const ofSegment = (name: keyof typeof segment, form: Column["form"] = "text"): Column => ({
  form,
  schema: segment[name],
  otherwise: textOf(DEFAULTS![name]) ?? "",
});

const key = (column: Omit<Column, "is">): Column => ({ ...column, is: "key" });
const segmentKey = key({ form: "text", schema: segment.name });
const asBytes = (text: string): string =>
  /^0x/i.test(text) ? text.toLowerCase() : `0x${Buffer.from(text, "latin1").toString("hex")}`;

function asRoute(text: string): string | Malformed {
  const [to, via, ...more] = text.split("=");
  if (to === undefined || via === undefined || more.length > 0) return new Malformed("want PREFIX=ROUTER");
  const [prefix, router] = [asPrefix(to), asAddress(via)];
  if (isMalformed(prefix)) return prefix;
  return isMalformed(router) ? router : `${prefix}=${router}`;
}

/** Both ends, however it is written: `10.0.0.50-10.0.0.99`, `10.0.0.64/28`, `10.0.0.7`. */
function asRange(text: string): string | Malformed {
  const prefix = parsePrefix(text);
  if (!isMalformed(prefix)) return `${formatAddress(prefix.address)}-${formatAddress(last(prefix))}`;
  const [from, to = from, ...more] = text.split("-");
  const [first, end] = [asAddress(from!), asAddress(to!)];
  if (more.length > 0 || isMalformed(first)) return new Malformed("want FIRST-LAST, an address or a prefix");
  return isMalformed(end) ? end : `${first}-${end}`;
}

/** A pool of a prefix: `10.0.1.0-10.0.1.255=host_bmc+dpu_bmc`. */
function asRolePool(text: string): string | Malformed {
  const [written, roles, ...more] = text.split("=");
  const list = rolePool.roles.safeParse(roles?.split("+"));
  if (!list.success || more.length > 0) return new Malformed("want FIRST-LAST=ROLE+ROLE");
  const range = asRange(written!);
  return isMalformed(range) ? range : `${range}=${list.data.join("+")}`;
}

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
  segments: {
    columns: {
      name: segmentKey,
      kind: ofSegment("kind"),
      domain: { form: "text", schema: segment.domain, is: "required" },
      vrf: { ...ofSegment("vrf"), isFree: true },
      mtu: ofSegment("mtu", "whole"),
      vlan: { form: "whole", schema: segment.vlan, isPooled: true },
      vni: { form: "whole", schema: segment.vni, isPooled: true },
      asn: { form: "whole", schema: segment.asn, isPooled: true },
      loopback: { form: "text", canonical: asAddress, isPooled: true },
      leaseSeconds: ofSegment("leaseSeconds", "whole"),
      graceSeconds: ofSegment("graceSeconds", "whole"),
      admission: ofSegment("admission"),
      allocation: ofSegment("allocation"),
      policy: ofSegment("policy"),
      rehome: { form: "text", schema: segment.rehome },
      naming: ofSegment("naming"),
      boots: ofSegment("boots", "flag"),
      state: { form: "text", schema: segment.state, otherwise: "active" },
      drainSeconds: { form: "whole", schema: segment.drainSeconds },
      routers: { form: "list", schema: options.routers, canonical: asAddress },
      domainNameServers: { form: "list", schema: options.domainNameServers, canonical: asAddress },
      ntpServers: { form: "list", schema: options.ntpServers, canonical: asAddress },
      domainSearch: { form: "list", schema: options.domainSearch },
      staticRoutes: { form: "list", canonical: asRoute },
    },
  },
  prefixes: {
    columns: {
      segment: segmentKey,
      prefix: key({ form: "text", canonical: asPrefix }),
      gateway: { form: "text", canonical: asAddress },
      reserved: { form: "whole", schema: prefix.reserved, otherwise: "1" },
      excluded: { form: "list", canonical: asAddress, otherwise: "[]" },
      reservedRanges: { form: "list", canonical: asRange, otherwise: "[]" },
      pools: { form: "list", canonical: asRolePool, otherwise: "[]" },
      state: { form: "text", schema: prefix.state, otherwise: "active" },
    },
  },
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
