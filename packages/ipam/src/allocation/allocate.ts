import { type Address, contains } from "@firstlight/wire";
import { isAssignable } from "./assignable.ts";
import { claimant, claimsOf } from "./claim.ts";
import { freeIn } from "./free.ts";
import { parcelsIn, poolsOf } from "./parcel.ts";
import { refusalAt } from "./standing.ts";
import { isDraining } from "../policy/drain.ts";
import type { ExpectedDevice, Interface, PrefixRow, Role } from "../model/model.ts";
import { givesDeclaredOnly } from "../policy/address.ts";
import type { Candidate } from "../replica/replica.ts";
import type { Ask, Asked, Ground } from "./request.ts";

/**
 * The address to offer, as a function of rows, identity and time: every replica answers alike. `policy/address.ts` decides
 * which addresses the client may have, here as in the lease batch. The order of preference: what its port has, what the
 * interface holds, what is declared for it, what it wants, what is free. A declaration made while a lease runs waits for its
 * end, unless it is a port's. A draining prefix gives nothing but what is declared; the holder of an address there keeps it
 * only while no other prefix has one.
 */
export function candidate(ground: Ground, asked: Asked): Candidate {
  const { segment, identity, wanted, now } = asked;
  const family = typeof wanted === "bigint" ? 6 : 4;
  const prefixes = ground.prefixes(segment.id).filter((row) => familyOf(row) === family);
  if (prefixes.length === 0) return { is: "none", because: "no-prefix-of-family" };
  const own = ground.interface(segment.id, identity);
  const expected = ground.expected(identity);
  const who = claimant(segment, identity, asked.proof);
  const claims = claimsOf(ground, who, family);
  const isAdmitted = segment.admission === "open" || isExpected(own, expected);
  if (!isAdmitted && claims.length === 0) return notExpected();

  const role = expected?.role ?? own?.role ?? "other";
  const ask: Ask = { ...asked, who, role, isAdmitted };
  const drains = (row: PrefixRow): boolean => isDraining(segment, row);
  const open = prefixes.some(drains) ? prefixes.filter((row) => !drains(row)) : prefixes;
  const may = (address: Address, among: readonly PrefixRow[]): boolean => {
    const home = homeOf(among, address);
    return home !== undefined && refusalAt(ground, ask, open, home, address) === undefined;
  };
  const held = own ? ground.leasesOf(own.id, family) : [];
  const kept = held.find(({ address }) => may(address, open));
  const isRunning = kept !== undefined && kept.state === "bound" && kept.expiresAt > now;
  const claim = claims.find(({ address, preempts }) => (preempts || !isRunning) && may(address, prefixes));
  const known = claim?.address ?? kept?.address;
  if (known !== undefined) return { is: "candidate", address: known, prefix: homeOf(prefixes, known)!, known: true };
  const givesFree = isAdmitted && !givesDeclaredOnly(segment);
  const found = givesFree ? newIn(ground, ask, open) : undefined;
  if (found) return found;
  const stays = open.length < prefixes.length && held.find(({ address }) => may(address, prefixes));
  if (stays) return { is: "candidate", address: stays.address, prefix: homeOf(prefixes, stays.address)!, known: true };
  return givesFree ? whyNone(open, role) : notExpected();
}

function notExpected(): Candidate {
  return { is: "none", because: "device-not-expected" };
}

/** What it wants, if that is free, else what is free. */
function newIn(ground: Ground, ask: Ask, open: readonly PrefixRow[]): Candidate | undefined {
  const { wanted, role } = ask;
  if (wanted !== undefined && ask.held?.(wanted) !== true) {
    const prefix = homeOf(open, wanted);
    if (prefix && refusalAt(ground, ask, open, prefix, wanted) === undefined)
      return { is: "candidate", address: wanted, prefix, known: false };
  }
  for (const prefix of open) {
    const address = freeIn(ground, ask, parcelsIn(open, prefix, role));
    if (address !== undefined) return { is: "candidate", address, prefix, known: false };
  }
  return undefined;
}

function whyNone(open: readonly PrefixRow[], role: Role): Candidate {
  if (open.length === 0) return { is: "none", because: "segment-draining" };
  const pools = poolsOf(open, role);
  return pools.length === 0 ? { is: "none", because: "segment-full" } : { is: "none", because: "pool-full", pools };
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
