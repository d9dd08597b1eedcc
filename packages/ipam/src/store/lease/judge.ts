import { relocationOf, type OtherInterface } from "../../policy/relocation.ts";
import { identitiesOf, isPort } from "../../model/identity.ts";
import type { Bind, LeaseRequest } from "../../model/lease.ts";
import type { AddressPolicy, Segment } from "../../model/model.ts";
import { type AddressFacts, addressRefusal, givesDeclaredOnly } from "../../policy/address.ts";
import type { AddressReason } from "../../policy/reasons.ts";
import type { Json } from "../../database/rows.ts";

/** What the database says about one request, read in its transaction after its interface was locked. */
export interface Fact {
  readonly vrf: string | null;
  readonly domain: number;
  readonly admission: "open" | "expected";
  readonly allocation: "dynamic" | "sequential" | "reserved";
  readonly policy: AddressPolicy;
  readonly naming: Segment["naming"];
  readonly grace_seconds: number;
  readonly interface: (Json & { readonly id: number; readonly identified_by: string }) | null;
  readonly expected: Json | null;
  /** Whether a prefix of the segment may give this address at all. */
  readonly assignable: boolean;
  /** Its prefix, or the whole segment, gives no new address. */
  readonly draining: boolean;
  /** It is in a pool of the interface's role, or in nobody's where the role has none. */
  readonly is_in_pool: boolean;
  /** The address is declared for this device, or for another one. */
  readonly declared: boolean;
  readonly claimed: boolean;
  /** The identity that the address is reserved for, and the origin of the reservation. */
  readonly reserved: string | null;
  /** The reservation is of this segment. */
  readonly reserved_here: boolean;
  readonly reserved_origin: "declared" | "preserved" | null;
  /** The last lease is the client's own; its interface may have been deleted since. */
  readonly own: boolean;
  /** The interface of the current or last lease, and the state of that lease. */
  readonly holder: number | null;
  readonly state: "bound" | "released" | "declined" | null;
  readonly expired: boolean;
  readonly rested: boolean;
  readonly holder_policy: AddressPolicy;
  /** The holder belongs to a machine. */
  readonly referenced: boolean;
  /** The interface's other addresses of this family: bound, or kept by their policy. */
  readonly others: readonly Other[];
  /** The device is not on this segment yet and has interfaces on others, in any VRF. */
  readonly elsewhere: boolean;
  /** The interfaces that it may leave. */
  readonly otherInterfaces?: readonly OtherInterface[];
}

/** Another address of the interface. */
export interface Other {
  readonly policy: AddressPolicy;
  readonly isBound: boolean;
  /** The segment would let the interface go on using it, and no other device has it declared. */
  readonly isUsable: boolean;
  /** The identity that it is reserved for. */
  readonly reserved: string | null;
}

/** Why the facts refuse the request; undefined: it is written, and the constraint still decides. */
export function judge(request: LeaseRequest, fact: Fact): AddressReason | undefined {
  if (fact.vrf === null) return "no-such-segment";
  if (request.do === "bind") return addressRefusal(addressFacts(request, fact));
  return fact.interface !== null && fact.own && fact.state === "bound" ? undefined : "no-such-lease";
}

export function addressFacts(request: Bind, fact: Fact): AddressFacts {
  return {
    isPromised: isPromised(request, fact),
    isOfPort: preempts(request, fact),
    isAdmitted: fact.admission === "open" || isExpected(fact),
    isHeldElsewhere: fact.otherInterfaces?.some((home) => relocationOf(home) === "refuses") === true,
    isAssignable: fact.assignable,
    isClaimed: fact.claimed,
    isReservedForAnother: fact.reserved !== null && !isReservedFor(request, fact),
    isDraining: fact.draining,
    isInPool: fact.is_in_pool,
    givesDeclaredOnly: givesDeclaredOnly(fact),
    keepsAnother: fact.others.some((other) => mayStay(request, other)),
    state: fact.state ?? undefined,
    isOwn: fact.own,
    isExpired: fact.expired,
    isRested: fact.rested,
    policy: fact.holder_policy,
    isReferenced: fact.referenced,
  };
}

/** Whether the interface may keep another address of its own. It must leave one that is reserved for another client. */
function mayStay(request: Bind, { policy, isUsable, reserved }: Other): boolean {
  return (
    policy !== "dynamic" &&
    isUsable &&
    (reserved === null || identitiesOf(request.identity, request).includes(reserved))
  );
}

/** Whether the address is declared for this client: for its device, or for one of its identities. */
export function isPromised(request: Bind, fact: Fact): boolean {
  return fact.declared || isReservedFor(request, fact);
}

/** The address of the client's port, which is taken from whoever holds it. */
export function preempts(request: Bind, fact: Fact): boolean {
  return fact.reserved !== null && isPort(fact.reserved) && isReservedFor(request, fact);
}

/** The policy of the new lease: `fixed` if the address is declared, else the segment's. */
export function policyOf(request: Bind, fact: Fact): AddressPolicy {
  if (!isPromised(request, fact)) return fact.policy;
  return fact.reserved_origin === "preserved" ? "preserved" : "fixed";
}

function isReservedFor(request: Bind, { reserved, reserved_here }: Fact): boolean {
  return reserved !== null && reserved_here && identitiesOf(request.identity, request).includes(reserved);
}

/** Whether a bind changes what DNS may say: a plain renewal does not. */
export function changesNames(fact: Fact): boolean {
  return fact.interface === null || fact.holder !== fact.interface.id || fact.state !== "bound" || fact.expired;
}

/** An expected device, or an interface that was one or was declared: never one that merely had a lease. */
function isExpected({ expected, interface: own }: Fact): boolean {
  return expected !== null || (own !== null && own.identified_by !== "lease");
}
