import { fateOf, type Home } from "../arrival.ts";
import { identitiesOf, isPort } from "../identity.ts";
import type { Bind, LeaseRequest, Refusal } from "../lease.ts";
import type { AddressPolicy, Segment } from "../model.ts";
import type { Json } from "./rows.ts";

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
  readonly suits: boolean;
  /** The address is declared for this device, or for another one. */
  readonly declared: boolean;
  readonly claimed: boolean;
  /** Whom the address is reserved for, and since when: by a declaration, or by a life that ended. */
  readonly reserved: string | null;
  readonly reserved_origin: "declared" | "preserved" | null;
  /** It is the client's own, though its interface may have been deleted meanwhile. */
  readonly own: boolean;
  /** Who has the address or had it last: its interface, and what became of the promise. */
  readonly holder: number | null;
  readonly state: "bound" | "released" | "declined" | null;
  readonly expired: boolean;
  readonly rested: boolean;
  readonly holder_policy: AddressPolicy;
  /** The holder belongs to a machine. */
  readonly referenced: boolean;
  /** Policy of another address in this family that the interface has, and whether it is bound. */
  readonly other_policy: AddressPolicy | null;
  readonly other_bound: boolean;
  /** It is no home of its device yet, and the device has others, in whatever VRF. */
  readonly elsewhere: boolean;
  /** Those from which it may move. */
  readonly homes?: readonly Home[];
}

/** Why this cannot be, as far as one can tell before the constraint has the last word; undefined when it may go ahead. */
export function judge(request: LeaseRequest, fact: Fact): Refusal | undefined {
  if (fact.vrf === null) return "no such segment";
  if (request.do !== "bind")
    return fact.interface !== null && fact.own && fact.state === "bound" ? undefined : "no such lease";

  const promised = isPromised(request, fact);
  if (fact.admission === "expected" && !promised && !isExpected(fact)) return "device is not expected here";
  if (fact.homes?.some((home) => fateOf(home) === "refuses")) return "device holds an address on another segment";
  if (!fact.assignable || fact.claimed) return "address is not assignable in this segment";
  if (fact.reserved !== null && !isReservedFor(request, fact)) return "address is reserved for another";
  if (!promised && fact.draining && !fact.own) return "prefix is draining";
  if (!promised && !fact.draining && !fact.suits) return "address is not in a pool of its role";
  // Somebody unknown uses a declined address: not even its holder gets it back before it has rested.
  if (fact.own)
    return fact.state === "declined" && !fact.rested ? "address rests until its grace has passed" : undefined;
  if ((fact.allocation === "reserved" || fact.policy === "fixed") && !promised)
    return "address is not assignable in this segment";
  if (fact.other_policy !== null && fact.other_policy !== "dynamic" && !promised)
    return "interface holds another address";
  return fact.holder === null ? undefined : taken(request, fact, promised);
}

/** Declared for this client: for its device, or for something it is known by. */
export function isPromised(request: Bind, fact: Fact): boolean {
  return fact.declared || isReservedFor(request, fact);
}

/** The address of the client's port, which is taken from whoever holds it. */
export function preempts(request: Bind, fact: Fact): boolean {
  return fact.reserved !== null && isPort(fact.reserved) && isReservedFor(request, fact);
}

/** What the lease is from now on: what is declared is fixed, the rest as the segment has it. */
export function policyOf(request: Bind, fact: Fact): AddressPolicy {
  if (!isPromised(request, fact)) return fact.policy;
  return fact.reserved_origin === "preserved" ? "preserved" : "fixed";
}

function isReservedFor(request: Bind, { reserved }: Fact): boolean {
  return reserved !== null && identitiesOf(request.mac, request).includes(reserved);
}

/** Whether a bind changes what DNS may say: a plain renewal does not. */
export function changesNames(fact: Fact): boolean {
  return fact.interface === null || fact.holder !== fact.interface.id || fact.state !== "bound" || fact.expired;
}

/** An expected device, or an interface that was one or was declared: never one that merely had a lease. */
function isExpected({ expected, interface: own }: Fact): boolean {
  return expected !== null || (own !== null && own.identified_by !== "lease");
}

/** A referenced address is kept past its expiry; a declaration takes one only from an interface of no machine. */
function taken(request: Bind, fact: Fact, promised: boolean): Refusal | undefined {
  if (preempts(request, fact))
    return fact.state === "declined" && !fact.rested ? "address rests until its grace has passed" : undefined;
  if (fact.referenced || (fact.holder_policy !== "dynamic" && !promised))
    return "address is bound to another interface";
  if (fact.rested) return undefined;
  return fact.state === "bound" && !fact.expired
    ? "address is bound to another interface"
    : "address rests until its grace has passed";
}
