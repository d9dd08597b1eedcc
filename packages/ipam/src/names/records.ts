import { type Address, formatAddress, formatMac, isIPv4, isMalformed, parseAddress, parseMac } from "@firstlight/wire";
import {
  type DomainName,
  firstLabel,
  nameBelow,
  type NameText,
  parentName,
  parseData,
  parseName,
} from "@firstlight/wire/dns";
import { distinct } from "./distinct.ts";
import { domainName } from "./domain-name.ts";
import type { Domain, Interface, Lease, Name, Segment } from "../model/model.ts";
import { BRANCH, slug } from "./naming.ts";
import { macOf } from "../model/identity.ts";
import type { Replica } from "../replica/replica.ts";
import { addressOfReverse, reverseName } from "./reverse.ts";
import type { DnsRecord } from "./dns-record.ts";

type Rows = Pick<Replica, "interfaceById" | "segment" | "domain" | "prefixOf">;
type Lookup = Rows &
  Pick<Replica, "devicesOf" | "domainNamed" | "labelled" | "interfacesOf" | "leaseOf" | "leasesAt" | "namesAt">;

/** The host's label: its own, else by the segment's naming `127-64-0-12` (IPv6: eight groups of four) or `02-f1-00-00-00-01`. */
export function hostLabel(
  { label, identity }: Pick<Interface, "label" | "identity">,
  address: Address,
  { naming }: Pick<Segment, "naming">,
): string {
  if (label !== undefined) return label.toLowerCase();
  const mac = macOf(identity);
  return naming === "mac" && mac !== undefined ? formatMac(mac).replaceAll(":", "-") : dashed(address);
}

/** The host's full name, without the final dot. */
export function fqdn(
  iface: Pick<Interface, "label" | "identity">,
  address: Address,
  segment: Pick<Segment, "naming">,
  domain: Pick<Domain, "name">,
): string {
  return `${hostLabel(iface, address, segment)}.${domain.name}`;
}

/** The name of a leased address; `undefined` if a row is missing or the host has no name. */
export function fqdnOf(replica: Rows, lease: Lease): string | undefined {
  const rows = relatedRows(replica, lease);
  return rows && isNamed(rows) ? fqdn(rows.iface, lease.address, rows.segment, rows.domain) : undefined;
}

/** The host's name as a value; `undefined` where DNS cannot carry it. */
export function hostName(
  iface: Pick<Interface, "label" | "identity">,
  address: Address,
  segment: Pick<Segment, "naming">,
  domain: Domain,
): DomainName | undefined {
  return below(hostLabel(iface, address, segment), domainName(domain));
}

/** The name of a machine's interface by the machine's name: `r1-m01.adm.DOMAIN`, `r1-m01.bmc.DOMAIN`. */
export function branchOf(
  { machine, role }: Pick<Interface, "machine" | "role">,
  domain: Domain,
): DomainName | undefined {
  const branch = BRANCH[role];
  const id = machine === undefined || branch === undefined ? undefined : slug(machine);
  return id === undefined ? undefined : below(id, below(branch!, domainName(domain)));
}

function below(label: string, parent: DomainName | undefined): DomainName | undefined {
  const name = parent && nameBelow(label, parent);
  return isMalformed(name) ? undefined : name;
}

/**
 * The A (or AAAA) and PTR records of a lease. They depend on rows and not on time, so a serial means the same on every replica.
 * A bound lease has a name. After its end it keeps the name until another interface gets the address.
 */
export function recordsOf(replica: Rows, lease: Lease): DnsRecord[] {
  const rows = lease.state === "bound" ? relatedRows(replica, lease) : undefined;
  if (!rows) return [];
  const branch = branchOf(rows.iface, rows.domain);
  const found = branch === undefined ? [] : [forwardOf(branch, lease, rows.domain)];
  const host = isNamed(rows) ? hostName(rows.iface, lease.address, rows.segment, rows.domain) : undefined;
  if (host === undefined) return found;
  const forward = forwardOf(host, lease, rows.domain);
  if (!replica.prefixOf(lease.address, lease.vrf)) return [forward, ...found];
  const { ttlSeconds } = forward;
  return [forward, { owner: reverseName(lease.address), type: "PTR", data: { is: "PTR", host }, ttlSeconds }, ...found];
}

function forwardOf(owner: DomainName, { address }: Lease, domain: Domain): DnsRecord {
  const data = isIPv4(address) ? ({ is: "A", address } as const) : ({ is: "AAAA", address } as const);
  return { owner, type: data.is, data, ttlSeconds: Math.max(1, domain.ttlSeconds) };
}

/** The record of a declared name; none if its domain is unknown or DNS cannot carry the owner. */
export function declaredRecords(replica: Pick<Replica, "domain">, name: Name): DnsRecord[] {
  const owner = parseName(name.owner);
  if (isMalformed(owner) || !replica.domain(name.domain)) return [];
  const { type } = name;
  return [{ owner, type, data: parseData(type, name.data), ttlSeconds: Math.max(1, name.ttlSeconds) }];
}

/** Why a declared owner cannot be served; `undefined` if no row has this owner, and for an owner that DNS can carry. */
export function refusalOf(replica: Pick<Replica, "namesAt">, owner: NameText): string | undefined {
  const name = parseName(owner);
  return isMalformed(name) && replica.namesAt(owner).length > 0 ? name.because : undefined;
}

/**
 * All records of one owner now. They replace the records before a change. Declared and derived records are both included. A
 * CNAME is left out if there is any other record (RFC 1034 §3.6.2: no CNAME beside other data).
 */
export function recordsAt(replica: Lookup, owner: DomainName): readonly DnsRecord[] {
  const found = replica.namesAt(owner).flatMap((name) => declaredRecords(replica, name));
  for (const lease of leasesNamed(replica, owner)) {
    for (const record of recordsOf(replica, lease)) if (record.owner === owner) found.push(record);
  }
  const all = distinct(found);
  const addresses = all.filter((record) => record.type !== "CNAME");
  return addresses.length > 0 ? addresses : all.slice(0, 1);
}

/** The records of every owner, each owner once: the start of an index. `refused` gets the owners that DNS cannot carry. */
export function* allRecords(
  replica: Lookup & Pick<Replica, "leases" | "domains" | "names">,
  refused: (owner: NameText, because: string) => void = () => {},
): Generator<readonly DnsRecord[]> {
  const declared = new Set<DomainName>();
  for (const domain of replica.domains()) {
    for (const { owner } of replica.names(domain.id)) {
      const name = parseName(owner);
      if (isMalformed(name)) refused(owner, name.because);
      else declared.add(name);
    }
  }
  for (const owner of declared) yield recordsAt(replica, owner);
  const shared = new Set<DomainName>();
  for (const lease of replica.leases()) {
    for (const record of recordsOf(replica, lease)) {
      if (declared.has(record.owner) || shared.has(record.owner)) continue;
      const records = isOnly(replica, lease, record) ? [record] : recordsAt(replica, record.owner);
      if (records.length > 1) shared.add(record.owner);
      yield records;
    }
  }
}

/** Whether no other lease can have this name: it is made of an address that only one VRF has. */
function isOnly(replica: Lookup, lease: Lease, { type, owner }: DnsRecord): boolean {
  if (type === "PTR") return replica.leasesAt(lease.address).length === 1;
  const label = dashed(lease.address);
  if (firstLabel(owner) !== label) return false;
  return replica.leasesAt(lease.address).length === 1 && replica.labelled(label).length === 0;
}

/** Leases whose name may be `owner`: by reverse name, label, dashed address or dashed MAC. */
function leasesNamed(replica: Lookup, owner: DomainName): Lease[] {
  const address = addressOfReverse(owner);
  if (address !== undefined) return [...replica.leasesAt(address)];
  const label = firstLabel(owner);
  const parent = parentName(owner);
  if (label === "") return [];
  if (!replica.domainNamed(parent)) return leasesOnBranch(replica, label, parent);
  const named = readDerivedLabel(label);
  const ifaces = [...replica.labelled(label), ...(named?.mac === undefined ? [] : replica.interfacesOf(named.mac))];
  const leases = ifaces.flatMap(({ id }) => [replica.leaseOf(id, 4) ?? [], replica.leaseOf(id, 6) ?? []].flat());
  return named?.address === undefined ? leases : [...leases, ...replica.leasesAt(named.address)];
}

/** Leases of the machine with this name, where `branch` is `adm.DOMAIN` or the like. */
function leasesOnBranch(replica: Lookup, machine: string, branch: DomainName): Lease[] {
  if (!BRANCHES.has(firstLabel(branch)) || !replica.domainNamed(parentName(branch))) return [];
  const ifaces = replica.devicesOf(machine).flatMap(({ mac }) => replica.interfacesOf(mac));
  return ifaces.flatMap(({ id }) => [replica.leaseOf(id, 4) ?? [], replica.leaseOf(id, 6) ?? []].flat());
}

const BRANCHES: ReadonlySet<string> = new Set(Object.values(BRANCH));

/** On a segment whose names are declared, an interface without a label has no name. */
function isNamed({ iface, segment }: { readonly iface: Interface; readonly segment: Segment }): boolean {
  return segment.naming !== "declared" || iface.label !== undefined;
}

function relatedRows(replica: Rows, lease: Lease): { iface: Interface; segment: Segment; domain: Domain } | undefined {
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

/** The address or MAC that a derived label was made of. */
function readDerivedLabel(label: string): { readonly address?: Address; readonly mac?: number } | undefined {
  if (/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/.test(label)) {
    const mac = parseMac(label);
    return isMalformed(mac) ? undefined : { mac };
  }
  const isV6 = /^[0-9a-f]{4}(-[0-9a-f]{4}){7}$/.test(label);
  if (!isV6 && !/^\d{1,3}(-\d{1,3}){3}$/.test(label)) return undefined;
  const address = parseAddress(label.replaceAll("-", isV6 ? ":" : "."));
  return isMalformed(address) ? undefined : { address };
}
