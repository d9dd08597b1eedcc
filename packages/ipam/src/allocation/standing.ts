/**
 * The facts of one address by the replica's rows, as `policy/address.ts` asks for them. One record is filled again for each
 * address: allocation is on the packet path, so an address that is looked at allocates nothing here.
 */
import type { Address } from "@firstlight/wire";
import type { Ask, Ground } from "./request.ts";
import { isDraining } from "../policy/drain.ts";
import { isPort } from "../model/identity.ts";
import type { PrefixRow } from "../model/model.ts";
import { type AddressFacts, addressRefusal, leaseRefusal } from "../policy/address.ts";
import type { AddressReason } from "../policy/reasons.ts";
import { isInPool } from "./parcel.ts";

const facts: { -readonly [Name in keyof AddressFacts]: AddressFacts[Name] } = {
  isPromised: false,
  isOfPort: false,
  isAdmitted: false,
  isHeldElsewhere: false, // asked once per client: `isHeldElsewhere` in arrival.ts
  isAssignable: false,
  isClaimed: false,
  isReservedForAnother: false,
  isDraining: false,
  isInPool: false,
  givesDeclaredOnly: false, // asked once per client, before the search
  keepsAnother: false, // an address that is kept and may be used is offered before any other
  state: undefined,
  isOwn: false,
  isExpired: false,
  isRested: false,
  policy: "dynamic",
  isReferenced: false,
};

/** Why the client may not have the address of this prefix; undefined: it may. `open` are the prefixes that do not drain. */
export function refusalAt(
  ground: Ground,
  ask: Ask,
  open: readonly PrefixRow[],
  row: PrefixRow,
  address: Address,
): AddressReason | undefined {
  fillDeclarations(ground, ask, address);
  fillLease(ground, ask, address);
  facts.isAdmitted = ask.isAdmitted;
  facts.isAssignable = true; // the caller found the prefix by it
  facts.isDraining = isDraining(ask.segment, row);
  facts.isInPool = isInPool(open, row, ask.role, address);
  return addressRefusal(facts);
}

/** Not on offer to another client, and free by declarations and leases. For an address of a parcel that the role may use. */
export function isOnOffer(ground: Ground, ask: Ask, address: Address): boolean {
  if (ask.held?.(address) === true) return false;
  fillDeclarations(ground, ask, address);
  if (facts.isClaimed || facts.isReservedForAnother) return false;
  fillLease(ground, ask, address);
  return leaseRefusal(facts) === undefined;
}

function fillDeclarations(ground: Ground, { who, segment }: Ask, address: Address): void {
  const expected = ground.expectedAt(address);
  const reserved = ground.reservedAt(address, segment.vrf);
  const isReserved =
    reserved !== undefined && reserved.segment === segment.id && who.identities.includes(reserved.identity);
  facts.isClaimed = expected !== undefined && expected.mac !== who.identity;
  facts.isReservedForAnother = reserved !== undefined && !isReserved;
  facts.isPromised = isReserved || expected?.mac === who.identity;
  facts.isOfPort = isReserved && isPort(reserved.identity);
}

function fillLease(ground: Ground, { segment, identity, now }: Ask, address: Address): void {
  const lease = ground.lease(address, segment.vrf);
  facts.state = lease?.state;
  facts.isOwn = false;
  if (!lease) return;
  facts.isOwn = lease.identity === identity && lease.segment === segment.id;
  facts.isExpired = lease.expiresAt <= now;
  facts.isRested = lease.reusableAt <= now;
  facts.policy = lease.policy;
  facts.isReferenced = ground.interfaceById(lease.interface)?.machine !== undefined;
}
