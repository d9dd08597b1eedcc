import type { Candidate, Refusal, Term } from "@firstlight/ipam";
import { type Reason, REASONS } from "./reasons.ts";

type IpamReason = Refusal | Extract<Candidate, { is: "none" }>["because"] | NonNullable<Term["because"]>;

/** The reasons of the IPAM as dhcpd's own codes. The event of a full pool names the pools, so their role is left out. */
const CODES = {
  "address is bound to another interface": "address-bound-elsewhere",
  "address rests until its grace has passed": "address-resting",
  "address is not assignable in this segment": "address-not-assignable",
  "address is reserved for another": "address-reserved",
  "address is not in a pool of its role": "address-not-in-pool",
  "prefix is draining": "prefix-draining",
  "interface holds another address": "interface-holds-another-address",
  "device holds an address on another segment": "device-on-another-segment",
  "device is not expected here": "device-not-expected",
  "no such lease": "no-such-lease",
  "no such segment": "no-such-segment",
  "segment is full": "segment-full",
  "segment is draining": "segment-draining",
  "no prefix of this family": "no-prefix-of-family",
} as const satisfies Readonly<Record<Exclude<IpamReason, `pool of ${string}`>, Reason>>;

export function reasonOf(because: IpamReason): Reason {
  return because in CODES ? CODES[because as keyof typeof CODES] : "pool-full";
}

/**
 * How a refused lease is answered. A NAK sends the client back to DISCOVER, where it gets another address; silence is for
 * clients that would only ask the same again.
 */
export function replyTo(because: Refusal): "nak" | "silence" {
  return REASONS[CODES[because]].answers === "NAK" ? "nak" : "silence";
}
