import type { LeaseRequest, Refusal } from "../lease.ts";
import type { AddressPolicy } from "../model.ts";
import type { Json } from "./rows.ts";

/** What the database says about one request, read in its transaction after its interface was locked. */
export interface Fact {
  readonly vrf: string | null;
  readonly domain: number;
  readonly admission: "open" | "expected";
  readonly allocation: "dynamic" | "sequential" | "reserved";
  readonly policy: AddressPolicy;
  readonly grace_seconds: number;
  readonly interface: (Json & { readonly id: number; readonly identified_by: string }) | null;
  readonly expected: Json | null;
  /** Whether a prefix of the segment may give this address at all. */
  readonly assignable: boolean;
  /** The address is declared for this device, or for another one. */
  readonly declared: boolean;
  readonly claimed: boolean;
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
}

/** Why this cannot be, as far as one can tell before the constraint has the last word; undefined when it may go ahead. */
export function judge(request: LeaseRequest, fact: Fact): Refusal | undefined {
  if (fact.vrf === null) return "no such segment";
  const isOwn = fact.interface !== null && fact.holder === fact.interface.id;
  if (request.do !== "bind") return isOwn && fact.state === "bound" ? undefined : "no such lease";

  if (fact.admission === "expected" && !isExpected(fact)) return "device is not expected here";
  if (!fact.assignable || fact.claimed) return "address is not assignable in this segment";
  // Somebody unknown uses a declined address: not even its holder gets it back before it has rested.
  if (isOwn) return fact.state === "declined" && !fact.rested ? "address rests until its grace has passed" : undefined;
  if (fact.allocation === "reserved" && !fact.declared) return "address is not assignable in this segment";
  if (fact.other_policy !== null && fact.other_policy !== "dynamic" && !fact.declared)
    return "interface holds another address";
  return fact.holder === null ? undefined : taken(fact);
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
function taken(fact: Fact): Refusal | undefined {
  if (fact.referenced || (fact.holder_policy !== "dynamic" && !fact.declared))
    return "address is bound to another interface";
  if (fact.rested) return undefined;
  return fact.state === "bound" && !fact.expired
    ? "address is bound to another interface"
    : "address rests until its grace has passed";
}
