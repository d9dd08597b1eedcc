import { type Address, contains, type Mac } from "@firstlight/wire";
import { addressAt, isAssignable, isSetAside, offsetOf, type Span, spanOf } from "./allocation/assignable.ts";
import { type Claimant, claimant, type Claims, claimsOf, isClaimed, isDeclared } from "./allocation/claim.ts";
import { place } from "./allocation/placement.ts";
import { type Vacancy, WINDOW } from "./allocation/vacancy.ts";
import type { Proof } from "./identity.ts";
import type { ExpectedDevice, Interface, Lease, PrefixRow, Segment } from "./model.ts";
import type { Candidate } from "./replica.ts";

/** What allocation asks of a replica. */
export interface Ground extends Claims {
  prefixes(segment: number): readonly PrefixRow[];
  interface(segment: number, mac: Mac): Interface | undefined;
  interfaceById(id: number): Interface | undefined;
  lease(address: Address, vrf: string): Lease | undefined;
  /** What the interface holds, then what it held, the latest first. */
  leasesOf(interfaceId: number, family: 4 | 6): readonly Lease[];
  /** Which addresses of the prefix's assignable span come free when, kept beside the rows. */
  vacancy(prefix: PrefixRow): Vacancy;
}

/** Who asks for what, when. `wanted` also tells the family: IPv4 unless it is IPv6. */
export interface Asked {
  readonly segment: Segment;
  readonly mac: Mac;
  readonly wanted?: Address | undefined;
  readonly proof?: Proof | undefined;
  /** Addresses on offer to somebody else at this moment. */
  readonly held?: ((address: Address) => boolean) | undefined;
  /** The database's clock, milliseconds. */
  readonly now: number;
}

type Ask = Asked & { readonly who: Claimant };

/** Hash places tried before the search: at nine tenths full, five asks of six end here. */
const PROBES = 16;

/**
 * The address to offer, as a function of rows, identity and time: every replica answers alike. In order: what its port
 * has, what the interface holds, what is declared for it, what it wants, what is free. A declaration made while a promise
 * runs waits for its end, unless it is a port's.
 */
export function candidate(ground: Ground, asked: Asked): Candidate {
  const { segment, mac, wanted, now } = asked;
  const ask: Ask = { ...asked, who: claimant(segment, mac, asked.proof) };
  const family = typeof wanted === "bigint" ? 6 : 4;
  const prefixes = ground.prefixes(segment.id).filter((row) => familyOf(row) === family);
  if (prefixes.length === 0) return { is: "none", because: "no prefix of this family" };
  const own = ground.interface(segment.id, mac);
  const claims = claimsOf(ground, ask.who, family);
  if (segment.admission === "expected" && claims.length === 0 && !isExpected(own, ground.expected(mac)))
    return { is: "none", because: "device is not expected here" };

  const canKeep = (lease: Lease): boolean =>
    mayKeep(lease, segment, now) &&
    homeOf(prefixes, lease.address) !== undefined &&
    !isClaimed(ground, ask.who, lease.address);
  const kept = own && ground.leasesOf(own.id, family).find(canKeep);
  const isRunning = kept !== undefined && kept.state === "bound" && kept.expiresAt > now;
  const claim = claims.find(
    ({ address, preempts }) =>
      (preempts || !isRunning) && homeOf(prefixes, address) !== undefined && isOwed(ground, ask, address, preempts),
  );
  const known = claim?.address ?? kept?.address;
  if (known !== undefined) return { is: "candidate", address: known, prefix: homeOf(prefixes, known)!, known: true };

  if (givesDeclaredOnly(segment)) return { is: "none", because: "device is not expected here" };
  if (wanted !== undefined && isOnOffer(ground, ask, wanted)) {
    const prefix = homeOf(prefixes, wanted);
    if (prefix) return { is: "candidate", address: wanted, prefix, known: false };
  }
  for (const prefix of prefixes) {
    const address = freeIn(ground, ask, prefix);
    if (address !== undefined) return { is: "candidate", address, prefix, known: false };
  }
  return { is: "none", because: "segment is full" };
}

/** When another interface may have this address: 0 when nobody ever had it, never while it is declared or referenced. */
export function freeAt(ground: Ground, vrf: string, address: Address): number {
  if (isDeclared(ground, address, vrf)) return Infinity;
  const lease = ground.lease(address, vrf);
  if (!lease) return 0;
  if (lease.policy !== "dynamic" || ground.interfaceById(lease.interface)?.machine !== undefined) return Infinity;
  return lease.reusableAt;
}

/** A `fixed` segment is one whose every address is declared. */
function givesDeclaredOnly({ allocation, policy }: Segment): boolean {
  return allocation === "reserved" || policy === "fixed";
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

function homeOf(prefixes: readonly PrefixRow[], address: Address): PrefixRow | undefined {
  return prefixes.find((row) => contains(row.prefix, address) && isAssignable(row, address));
}

/** A declared address that nobody stands in the way of: a port's yields to none, unless somebody unknown uses it. */
function isOwed(ground: Ground, { segment, mac, who, now }: Ask, address: Address, preempts: boolean): boolean {
  if (isClaimed(ground, who, address)) return false;
  const lease = ground.lease(address, segment.vrf);
  if (!lease || isOwn(lease, segment, mac)) return !lease || mayKeep(lease, segment, now);
  if (preempts) return lease.state !== "declined" || lease.reusableAt <= now;
  return lease.reusableAt <= now && ground.interfaceById(lease.interface)?.machine === undefined;
}

/** An interface that was deleted and comes again is the same one to its address. */
function isOwn(lease: Lease, segment: Segment, mac: Mac): boolean {
  return lease.mac === mac && lease.segment === segment.id;
}

/** Free by the rows (never given, given back and rested, or this very interface's own), and not on offer to another. */
function isOnOffer(ground: Ground, { segment, mac, who, now, held }: Ask, address: Address): boolean {
  if (held?.(address) === true || isClaimed(ground, who, address)) return false;
  const lease = ground.lease(address, segment.vrf);
  if (!lease) return true;
  if (isOwn(lease, segment, mac)) return mayKeep(lease, segment, now);
  return freeAt(ground, segment.vrf, address) <= now;
}

/**
 * Somebody's former address is taken only under pressure: when no hash place is left that nobody ever had. Then the one
 * that has been idle for longest of them, for who held it may come back.
 */
function freeIn(ground: Ground, ask: Ask, row: PrefixRow): Address | undefined {
  const span = spanOf(row);
  if (!span) return undefined;
  if (ask.segment.allocation === "sequential")
    return nextFree(ground, ask, row, span, 0, 0) ?? nextFree(ground, ask, row, span, 0, ask.now);
  let idle: Lease | undefined;
  for (let attempt = 0; attempt < PROBES; attempt++) {
    const address = addressAt(row, place(ask.mac, row.prefix.address, span, attempt));
    if (isSetAside(row, address) || !isOnOffer(ground, ask, address)) continue;
    const former = ground.lease(address, ask.segment.vrf);
    if (!former) return address;
    if (!idle || former.reusableAt < idle.reusableAt) idle = former;
  }
  if (idle) return idle.address;
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
