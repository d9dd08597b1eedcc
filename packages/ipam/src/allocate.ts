import { type Address, contains, type Mac } from "@firstlight/wire";
import { isAssignable } from "./allocation/assignable.ts";
import { type Claimant, claimant, type Claims, claimsOf, isClaimed } from "./allocation/claim.ts";
import { freeIn, isOnOffer, isOwn, mayKeep } from "./allocation/free.ts";
import { type Parcel, parcelsIn, poolsOf, suits } from "./allocation/parcel.ts";
import type { Vacancy } from "./allocation/vacancy.ts";
import { isDraining } from "./drain.ts";
import type { Proof } from "./identity.ts";
import type { ExpectedDevice, Interface, Lease, PrefixRow, Role, Segment } from "./model.ts";
import type { Candidate } from "./replica.ts";

/** What allocation asks of a replica. */
export interface Ground extends Claims {
  prefixes(segment: number): readonly PrefixRow[];
  interface(segment: number, mac: Mac): Interface | undefined;
  interfaceById(id: number): Interface | undefined;
  lease(address: Address, vrf: string): Lease | undefined;
  /** What the interface holds, then what it held, the latest first. */
  leasesOf(interfaceId: number, family: 4 | 6): readonly Lease[];
  /** Which addresses of the parcel come free when, kept beside the rows. */
  vacancy(parcel: Parcel): Vacancy;
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

export type Ask = Asked & { readonly who: Claimant };

/**
 * The address to offer, as a function of rows, identity and time: every replica answers alike. In order: what its port
 * has, what the interface holds, what is declared for it, what it wants, what is free. A declaration made while a promise
 * runs waits for its end, unless it is a port's. What drains gives nothing but what is declared; who holds an address there
 * keeps it only while no other prefix has one.
 */
export function candidate(ground: Ground, asked: Asked): Candidate {
  const { segment, mac, wanted, now } = asked;
  const ask: Ask = { ...asked, who: claimant(segment, mac, asked.proof) };
  const family = typeof wanted === "bigint" ? 6 : 4;
  const prefixes = ground.prefixes(segment.id).filter((row) => familyOf(row) === family);
  if (prefixes.length === 0) return { is: "none", because: "no prefix of this family" };
  const own = ground.interface(segment.id, mac);
  const expected = ground.expected(mac);
  const claims = claimsOf(ground, ask.who, family);
  if (segment.admission === "expected" && claims.length === 0 && !isExpected(own, expected))
    return { is: "none", because: "device is not expected here" };

  const role = expected?.role ?? own?.role ?? "other";
  const drains = (row: PrefixRow): boolean => isDraining(segment, row);
  const open = prefixes.some(drains) ? prefixes.filter((row) => !drains(row)) : prefixes;
  const held = own ? ground.leasesOf(own.id, family) : [];
  const isFree = (lease: Lease): boolean => mayKeep(lease, ask) && !isClaimed(ground, ask.who, lease.address);
  const kept = held.find((lease) => {
    const home = homeOf(open, lease.address);
    return home !== undefined && isFree(lease) && suits(open, home, role, lease.address);
  });
  const isRunning = kept !== undefined && kept.state === "bound" && kept.expiresAt > now;
  const claim = claims.find(
    ({ address, preempts }) =>
      (preempts || !isRunning) && homeOf(prefixes, address) !== undefined && isOwed(ground, ask, address, preempts),
  );
  const known = claim?.address ?? kept?.address;
  if (known !== undefined) return { is: "candidate", address: known, prefix: homeOf(prefixes, known)!, known: true };
  const found = givesDeclaredOnly(segment) ? undefined : newIn(ground, ask, open, role);
  if (found) return found;
  const stays = open.length < prefixes.length && held.find((lease) => homeOf(prefixes, lease.address) && isFree(lease));
  if (stays) return { is: "candidate", address: stays.address, prefix: homeOf(prefixes, stays.address)!, known: true };
  return givesDeclaredOnly(segment) ? { is: "none", because: "device is not expected here" } : whyNone(open, role);
}

/** What it wants, if that is free, else what is free. */
function newIn(ground: Ground, ask: Ask, open: readonly PrefixRow[], role: Role): Candidate | undefined {
  const { wanted } = ask;
  if (wanted !== undefined && isOnOffer(ground, ask, wanted)) {
    const prefix = homeOf(open, wanted);
    if (prefix && suits(open, prefix, role, wanted)) return { is: "candidate", address: wanted, prefix, known: false };
  }
  for (const prefix of open) {
    const address = freeIn(ground, ask, parcelsIn(open, prefix, role));
    if (address !== undefined) return { is: "candidate", address, prefix, known: false };
  }
  return undefined;
}

function whyNone(open: readonly PrefixRow[], role: Role): Candidate {
  if (open.length === 0) return { is: "none", because: "segment is draining" };
  const pools = poolsOf(open, role);
  return pools.length === 0
    ? { is: "none", because: "segment is full" }
    : { is: "none", because: `pool of ${role} is full`, pools };
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

function homeOf(prefixes: readonly PrefixRow[], address: Address): PrefixRow | undefined {
  return prefixes.find((row) => contains(row.prefix, address) && isAssignable(row, address));
}

/** A declared address that nobody stands in the way of: a port's yields to none, unless somebody unknown uses it. */
function isOwed(ground: Ground, ask: Ask, address: Address, preempts: boolean): boolean {
  const { segment, who, now } = ask;
  if (isClaimed(ground, who, address)) return false;
  const lease = ground.lease(address, segment.vrf);
  if (!lease || isOwn(lease, ask)) return !lease || mayKeep(lease, ask);
  if (preempts) return lease.state !== "declined" || lease.reusableAt <= now;
  return lease.reusableAt <= now && ground.interfaceById(lease.interface)?.machine === undefined;
}
