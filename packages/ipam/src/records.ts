import { type Address, formatAddress, formatMac, isIPv4, isMalformed, parseAddress, parseMac } from "@firstlight/wire";
import type { Domain, Interface, Lease, Name, Segment } from "./model.ts";
import { BRANCH, slug } from "./naming.ts";
import type { Replica } from "./replica.ts";
import { addressOfReverse, reverseName, reverseZoneAt } from "./reverse.ts";

/** One record of the site. Names are lower-case without the final dot; `data` is in presentation form, its names too. */
export interface DnsRecord {
  readonly owner: string;
  readonly type: Name["type"];
  readonly data: string;
  /** Never 0. */
  readonly ttlSeconds: number;
  /** The zone it belongs to. */
  readonly zone: string;
}

type Rows = Pick<Replica, "interfaceById" | "segment" | "domain" | "prefixOf">;
type Lookup = Rows &
  Pick<Replica, "devicesOf" | "domainNamed" | "labelled" | "interfacesOf" | "leaseOf" | "leasesAt" | "namesAt">;

/** The host's label: its own, else by the segment's naming `127-64-0-12` (IPv6: eight groups of four) or `02-f1-00-00-00-01`. */
export function hostLabel(
  { label, mac }: Pick<Interface, "label" | "mac">,
  address: Address,
  { naming }: Pick<Segment, "naming">,
): string {
  if (label !== undefined) return label.toLowerCase();
  return naming === "mac" ? formatMac(mac).replaceAll(":", "-") : dashed(address);
}

/** The host's full name, without the final dot. */
export function fqdn(
  iface: Pick<Interface, "label" | "mac">,
  address: Address,
  segment: Pick<Segment, "naming">,
  domain: Pick<Domain, "name">,
): string {
  return `${hostLabel(iface, address, segment)}.${domain.name}`;
}

/** The name an address has, as soon as its interface is known; `undefined` where a row is missing. */
export function fqdnOf(replica: Rows, lease: Lease): string | undefined {
  const home = homeOf(replica, lease);
  return home && isNamed(home) ? fqdn(home.iface, lease.address, home.segment, home.domain) : undefined;
}

/** `r1-m01.adm.DOMAIN` and `r1-m01.bmc.DOMAIN`: where a machine's own interfaces are found by the machine's name. */
export function branchOf(
  { machine, role }: Pick<Interface, "machine" | "role">,
  domain: Pick<Domain, "name">,
): string | undefined {
  const branch = BRANCH[role];
  const id = machine === undefined || branch === undefined ? undefined : slug(machine);
  return id && `${id}.${branch}.${domain.name}`;
}

/**
 * A and PTR of a lease: a function of its rows, not of time, so that serials mean the same on every replica. Bound is
 * named; that its time is over changes nothing until somebody else gets the address.
 */
export function recordsOf(replica: Rows, lease: Lease): DnsRecord[] {
  const home = lease.state === "bound" ? homeOf(replica, lease) : undefined;
  if (!home) return [];
  const branch = branchOf(home.iface, home.domain);
  if (!isNamed(home)) return branch === undefined ? [] : [forwardOf(branch, lease, home.domain)];
  const owner = fqdn(home.iface, lease.address, home.segment, home.domain);
  const forward = forwardOf(owner, lease, home.domain);
  const found = branch === undefined ? [forward] : [forward, forwardOf(branch, lease, home.domain)];
  const prefix = replica.prefixOf(lease.address, lease.vrf);
  if (!prefix) return found;
  const zone = reverseZoneAt(lease.address, prefix.prefix.length);
  const reverse = {
    owner: reverseName(lease.address),
    type: "PTR",
    data: owner,
    ttlSeconds: forward.ttlSeconds,
    zone,
  } as const;
  return [forward, reverse, ...found.slice(1)];
}

function forwardOf(owner: string, { address }: Lease, { name, ttlSeconds }: Domain): DnsRecord {
  const type = isIPv4(address) ? "A" : "AAAA";
  return { owner, type, data: formatAddress(address), ttlSeconds: Math.max(1, ttlSeconds), zone: name };
}

/** The record of a declared name; none while its domain is unknown. A PTR of an address of ours belongs to its reverse zone. */
export function declaredRecords(replica: Pick<Replica, "domain" | "prefixOf">, name: Name): DnsRecord[] {
  const domain = replica.domain(name.domain);
  if (!domain) return [];
  const { owner, type, data } = name;
  const address = addressOfReverse(owner);
  const prefix = address === undefined ? undefined : replica.prefixOf(address);
  const zone = address !== undefined && prefix ? reverseZoneAt(address, prefix.prefix.length) : domain.name;
  return [{ owner, type, data, ttlSeconds: Math.max(1, name.ttlSeconds), zone }];
}

/**
 * All records of one owner, as of now: what a changed name is replaced by. Declared and derived stand side by side; a
 * CNAME gives way to an address, for a name can never block one (RFC 1034 §3.6.2: no CNAME beside other data).
 */
export function recordsAt(replica: Lookup, owner: string): DnsRecord[] {
  const records = replica.namesAt(owner).flatMap((name) => declaredRecords(replica, name));
  for (const lease of leasesNamed(replica, owner)) {
    records.push(...recordsOf(replica, lease).filter((record) => record.owner === owner));
  }
  const distinct = new Map(records.map((record) => [`${record.type} ${record.data}`, record]));
  const all = [...distinct.values()];
  const addresses = all.filter((record) => record.type !== "CNAME");
  return addresses.length > 0 ? addresses : all.slice(0, 1);
}

/** Every owner with its records, each once: what an index is first built from. */
export function* allRecords(
  replica: Lookup & Pick<Replica, "leases" | "domains" | "names">,
): Generator<readonly DnsRecord[]> {
  const declared = new Set<string>();
  for (const domain of replica.domains()) for (const name of replica.names(domain.id)) declared.add(name.owner);
  for (const owner of declared) yield recordsAt(replica, owner);
  const shared = new Set<string>();
  for (const lease of replica.leases()) {
    for (const record of recordsOf(replica, lease)) {
      if (declared.has(record.owner) || shared.has(record.owner)) continue;
      const records = isOnly(replica, lease, record) ? [record] : recordsAt(replica, record.owner);
      if (records.length > 1) shared.add(record.owner);
      yield records;
    }
  }
}

/** Whether no other lease can own this name: it is made of an address that one VRF alone has. */
function isOnly(replica: Lookup, lease: Lease, { type, owner }: DnsRecord): boolean {
  if (type !== "PTR" && !owner.startsWith(`${dashed(lease.address)}.`)) return false;
  return (
    replica.leasesAt(lease.address).length === 1 &&
    (type === "PTR" || replica.labelled(dashed(lease.address)).length === 0)
  );
}

/** Leases whose name may be `owner`: by reverse name, label, dashed address or dashed MAC. */
function leasesNamed(replica: Lookup, owner: string): Lease[] {
  const address = addressOfReverse(owner);
  if (address !== undefined) return [...replica.leasesAt(address)];
  const dot = owner.indexOf(".");
  const label = owner.slice(0, dot);
  if (dot < 1) return [];
  if (!replica.domainNamed(owner.slice(dot + 1))) return leasesOnBranch(replica, label, owner.slice(dot + 1));
  const named = undash(label);
  const ifaces = [...replica.labelled(label), ...(named?.mac === undefined ? [] : replica.interfacesOf(named.mac))];
  const leases = ifaces.flatMap(({ id }) => [replica.leaseOf(id, 4) ?? [], replica.leaseOf(id, 6) ?? []].flat());
  return named?.address === undefined ? leases : [...leases, ...replica.leasesAt(named.address)];
}

/** Leases of the machine with this name, where `branch` is `adm.DOMAIN` or the like. */
function leasesOnBranch(replica: Lookup, machine: string, branch: string): Lease[] {
  const dot = branch.indexOf(".");
  if (dot < 1 || !BRANCHES.has(branch.slice(0, dot)) || !replica.domainNamed(branch.slice(dot + 1))) return [];
  const ifaces = replica.devicesOf(machine).flatMap(({ mac }) => replica.interfacesOf(mac));
  return ifaces.flatMap(({ id }) => [replica.leaseOf(id, 4) ?? [], replica.leaseOf(id, 6) ?? []].flat());
}

const BRANCHES: ReadonlySet<string> = new Set(Object.values(BRANCH));

/** Where names are declared, what has no label has none. */
function isNamed({ iface, segment }: { readonly iface: Interface; readonly segment: Segment }): boolean {
  return segment.naming !== "declared" || iface.label !== undefined;
}

function homeOf(replica: Rows, lease: Lease): { iface: Interface; segment: Segment; domain: Domain } | undefined {
  const iface = replica.interfaceById(lease.interface);
  const segment = replica.segment(lease.segment);
  const domain = segment && replica.domain(segment.domain);
  return iface && segment && domain ? { iface, segment, domain } : undefined;
}

function dashed(address: Address): string {
  if (isIPv4(address)) return formatAddress(address).replaceAll(".", "-");
  return address
    .toString(16)
    .padStart(32, "0")
    .replaceAll(/....(?!$)/g, "$&-");
}

/** What a derived label was made of. */
function undash(label: string): { readonly address?: Address; readonly mac?: number } | undefined {
  if (/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/.test(label)) {
    const mac = parseMac(label);
    return isMalformed(mac) ? undefined : { mac };
  }
  const isV6 = /^[0-9a-f]{4}(-[0-9a-f]{4}){7}$/.test(label);
  if (!isV6 && !/^\d{1,3}(-\d{1,3}){3}$/.test(label)) return undefined;
  const address = parseAddress(label.replaceAll("-", isV6 ? ":" : "."));
  return isMalformed(address) ? undefined : { address };
}
