import { type Address, contains, type Mac } from "@firstlight/wire";
import { addressAt, isAssignable, isSetAside, offsetOf, type Span, spanOf } from "./allocation/assignable.ts";
import { place } from "./allocation/placement.ts";
import { type Vacancy, WINDOW } from "./allocation/vacancy.ts";
import type { ExpectedDevice, Interface, Lease, PrefixRow, Segment } from "./model.ts";
import type { Candidate } from "./replica.ts";

/** What allocation asks of a replica. */
export interface Ground {
  prefixes(segment: number): readonly PrefixRow[];
  interface(segment: number, mac: Mac): Interface | undefined;
  interfaceById(id: number): Interface | undefined;
  expected(mac: Mac): ExpectedDevice | undefined;
  /** The device this address is declared for. */
  expectedAt(address: Address): ExpectedDevice | undefined;
  lease(address: Address, vrf: string): Lease | undefined;
  /** What the interface holds, then what it held, the latest first. */
  leasesOf(interfaceId: number, family: 4 | 6): readonly Lease[];
  /** Which addresses of the prefix's assignable span come free when, kept beside the rows. */
  vacancy(prefix: PrefixRow): Vacancy;
}

/** Who asks for what, when. `wanted` also tells the family: IPv4 unless it is IPv6. */
export interface Ask {
  readonly segment: Segment;
  readonly mac: Mac;
  readonly wanted?: Address | undefined;
  /** Addresses on offer to somebody else at this moment. */
  readonly held?: ((address: Address) => boolean) | undefined;
  /** The database's clock, milliseconds. */
  readonly now: number;
}

/** Hash places tried before the search: at nine tenths full, five asks of six end here. */
const PROBES = 16;

/**
 * The address to offer, as a function of rows, identity and time: every replica answers alike. In order: what the
 * interface holds, what is declared for it, what it wants, what is free. A declaration made while a promise runs waits for its end.
 */
export function candidate(ground: Ground, ask: Ask): Candidate {
  const { segment, mac, wanted, now } = ask;
  const family = typeof wanted === "bigint" ? 6 : 4;
  const prefixes = ground.prefixes(segment.id).filter((row) => familyOf(row) === family);
  if (prefixes.length === 0) return { is: "none", because: "no prefix of this family" };
  const own = ground.interface(segment.id, mac);
  const expected = ground.expected(mac);
  if (segment.admission === "expected" && !isExpected(own, expected))
    return { is: "none", because: "device is not expected here" };

  const canKeep = (lease: Lease): boolean =>
    mayKeep(lease, segment, now) &&
    homeOf(prefixes, lease.address) !== undefined &&
    !isClaimed(ground, lease.address, mac);
  const kept = own && ground.leasesOf(own.id, family).find(canKeep);
  const declared = expected?.address;
  const canDeclared =
    declared !== undefined && homeOf(prefixes, declared) !== undefined && isFreeFor(ground, ask, own, declared);
  const isRunning = kept !== undefined && kept.state === "bound" && kept.expiresAt > now;
  const known = canDeclared && !isRunning ? declared : kept?.address;
  if (known !== undefined) return { is: "candidate", address: known, prefix: homeOf(prefixes, known)!, known: true };

  if (segment.allocation === "reserved") return { is: "none", because: "device is not expected here" };
  if (wanted !== undefined && isOnOffer(ground, ask, own, wanted)) {
    const prefix = homeOf(prefixes, wanted);
    if (prefix) return { is: "candidate", address: wanted, prefix, known: false };
  }
  for (const prefix of prefixes) {
    const address = freeIn(ground, ask, own, prefix);
    if (address !== undefined) return { is: "candidate", address, prefix, known: false };
  }
  return { is: "none", because: "segment is full" };
}

/** When another interface may have this address: 0 when nobody ever had it, never while it is declared or referenced. */
export function freeAt(ground: Ground, vrf: string, address: Address): number {
  if (ground.expectedAt(address)) return Infinity;
  const lease = ground.lease(address, vrf);
  if (!lease) return 0;
  if (lease.policy !== "dynamic" || ground.interfaceById(lease.interface)?.machine !== undefined) return Infinity;
  return lease.reusableAt;
}

function familyOf(row: PrefixRow): 4 | 6 {
  return typeof row.prefix.address === "number" ? 4 : 6;
}

/** An expected device, or an interface that was one or was declared: never one that merely had a lease. */
function isExpected(own: Interface | undefined, expected: ExpectedDevice | undefined): boolean {
  return expected !== undefined || (own !== undefined && own.identifiedBy !== "lease");
}

/** A declined address is in use by somebody unknown: not even its holder gets it back before it has rested. */
function mayKeep(lease: Lease, segment: Segment, now: number): boolean {
  return lease.segment === segment.id && (lease.state !== "declined" || lease.reusableAt <= now);
}

/** Declared for another device. */
function isClaimed(ground: Ground, address: Address, mac: Mac): boolean {
  const expected = ground.expectedAt(address);
  return expected !== undefined && expected.mac !== mac;
}

function homeOf(prefixes: readonly PrefixRow[], address: Address): PrefixRow | undefined {
  return prefixes.find((row) => contains(row.prefix, address) && isAssignable(row, address));
}

/** Free by the rows: never given, given back and rested, or this very interface's own. */
function isFreeFor(ground: Ground, { segment, mac, now }: Ask, own: Interface | undefined, address: Address): boolean {
  if (isClaimed(ground, address, mac)) return false;
  const lease = ground.lease(address, segment.vrf);
  if (!lease) return true;
  if (own && lease.interface === own.id) return mayKeep(lease, segment, now);
  if (ground.expectedAt(address))
    return lease.reusableAt <= now && ground.interfaceById(lease.interface)?.machine === undefined;
  return freeAt(ground, segment.vrf, address) <= now;
}

function isOnOffer(ground: Ground, ask: Ask, own: Interface | undefined, address: Address): boolean {
  return isFreeFor(ground, ask, own, address) && ask.held?.(address) !== true;
}

function freeIn(ground: Ground, ask: Ask, own: Interface | undefined, row: PrefixRow): Address | undefined {
  const span = spanOf(row);
  if (!span) return undefined;
  if (ask.segment.allocation === "sequential")
    return nextFree(ground, ask, row, span, 0, 0) ?? nextFree(ground, ask, row, span, 0, ask.now);
  for (let attempt = 0; attempt < PROBES; attempt++) {
    const address = addressAt(row, place(ask.mac, row.prefix.address, span, attempt));
    if (!isSetAside(row, address) && isOnOffer(ground, ask, own, address)) return address;
  }
  const start = Number(BigInt(place(ask.mac, row.prefix.address, span, 0)) - BigInt(span.first)) % WINDOW;
  return nextFree(ground, ask, row, span, start, ask.now);
}

/** The first address of the span, from the `start`-th on, that is free by `until` and not on offer to another. */
function nextFree(
  ground: Ground,
  ask: Ask,
  row: PrefixRow,
  span: Span,
  start: number,
  until: number,
): Address | undefined {
  const base = addressAt(row, span.first);
  const at = (index: number): Address => (typeof base === "number" ? base + index : base + BigInt(index));
  const when = (index: number): number => {
    const address = at(index);
    return isSetAside(row, address) ? Infinity : freeAt(ground, ask.segment.vrf, address);
  };
  const index = ground.vacancy(row).find(start, until, when, (index) => ask.held?.(at(index)) !== true);
  return index === undefined ? undefined : at(index);
}

/** Where in its prefix's window an address lies: what a vacancy is told when a row changes. */
export function windowIndex(row: PrefixRow, address: Address): number | undefined {
  const span = spanOf(row);
  if (!span) return undefined;
  const index = BigInt(offsetOf(row, address)) - BigInt(span.first);
  return index >= 0n && index < BigInt(WINDOW) ? Number(index) : undefined;
}
