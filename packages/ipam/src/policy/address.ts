/**
 * Who may have which address: the rules that the replica's `candidate()` and the lease batch both ask. Pure.
 * Only BIND (`store/statements.ts`) repeats a part: the row that it has locked may have changed since.
 */
import type { AddressPolicy, Lease, Segment } from "../model/model.ts";
import { isCountedOn } from "./counted-on.ts";
import type { AddressReason } from "./reasons.ts";

/** The last lease of an address, seen from the interface that asks for the address. */
export interface LeaseFacts {
  /** The address is declared for the client: for its device or for one of its identities. */
  readonly isPromised: boolean;
  /** The address is reserved for the client's switch port, which takes it from any other holder. */
  readonly isOfPort: boolean;
  /** Undefined: the address was never leased. */
  readonly state: Lease["state"] | undefined;
  /** The lease is of the same MAC on the same segment; its interface may have been deleted and made again. */
  readonly isOwn: boolean;
  readonly isExpired: boolean;
  /** The grace period after the lease has passed. */
  readonly isRested: boolean;
  readonly policy: AddressPolicy;
  /** The interface of the lease belongs to a machine. */
  readonly isReferenced: boolean;
}

/** An address and the interface that asks for it. */
export interface AddressFacts extends LeaseFacts {
  /** The segment admits any device, or this one is expected or declared. A lease alone does not count. */
  readonly isAdmitted: boolean;
  /** Another segment with `rehome: refuse` has a running lease of the device. */
  readonly isHeldElsewhere: boolean;
  /** A prefix of the segment may give the address. */
  readonly isAssignable: boolean;
  /** Declared for another device. */
  readonly isClaimed: boolean;
  readonly isReservedForAnother: boolean;
  /** The prefix or its segment is draining. */
  readonly isDraining: boolean;
  /** In a pool of the interface's role, or in no pool where the role has none. */
  readonly isInPool: boolean;
  /** The segment gives declared addresses alone. */
  readonly givesDeclaredOnly: boolean;
  /** The interface has another address of the family that its policy keeps and that it may go on using. */
  readonly keepsAnother: boolean;
}

/** Why the interface may not have the address; undefined: it may. */
export function addressRefusal(facts: AddressFacts): AddressReason | undefined {
  const { isPromised, isOwn } = facts;
  if (!isPromised && !facts.isAdmitted) return "device-not-expected";
  if (facts.isHeldElsewhere) return "device-on-another-segment";
  if (!facts.isAssignable || facts.isClaimed) return "address-not-assignable";
  if (facts.isReservedForAnother) return "address-reserved";
  if (!isPromised && facts.isDraining && !isOwn) return "prefix-draining";
  if (!isPromised && !facts.isDraining && !facts.isInPool) return "address-not-in-pool";
  if (!isPromised && !isOwn && facts.givesDeclaredOnly) return "address-not-assignable";
  if (!isPromised && !isOwn && facts.keepsAnother) return "interface-holds-another-address";
  return leaseRefusal(facts);
}

/** The part of the rules that the address's last lease decides. */
export function leaseRefusal(facts: LeaseFacts): AddressReason | undefined {
  const { state, isRested } = facts;
  if (state === undefined) return undefined;
  // A declined address is in use by an unknown device: not even its holder gets it back before it has rested.
  if (facts.isOwn || facts.isOfPort) return state === "declined" && !isRested ? "address-resting" : undefined;
  if (isCountedOn(facts.policy, facts.isReferenced, facts.isPromised)) return "address-bound-elsewhere";
  if (isRested) return undefined;
  return state === "bound" && !facts.isExpired ? "address-bound-elsewhere" : "address-resting";
}

/** A `fixed` segment is one whose every address is declared. */
export function givesDeclaredOnly({ allocation, policy }: Pick<Segment, "allocation" | "policy">): boolean {
  return allocation === "reserved" || policy === "fixed";
}
