/** Why an address is not given: a stable code, its sentence (logs, option 56 of a NAK) and the remedy. */
export const REASONS = {
  "address-bound-elsewhere": {
    sentence: "address is bound to another interface",
    remedy: "Wait for the client to ask for another address, or delete the interface that holds this one.",
  },
  "address-at-rest": {
    sentence: "address rests until its grace has passed",
    remedy: "Wait until the segment's grace period has passed.",
  },
  "address-not-assignable": {
    sentence: "address is not assignable in this segment",
    remedy: "Check the segment's prefixes, excluded and reserved ranges, and the declarations of this address.",
  },
  "address-reserved-for-another": {
    sentence: "address is reserved for another",
    remedy: "Delete the reservation, or reserve the address for this client.",
  },
  "address-outside-role-pool": {
    sentence: "address is not in a pool of its role",
    remedy: "Let the client ask for another address, or change the pools of the prefix.",
  },
  "prefix-draining": {
    sentence: "prefix is draining",
    remedy: "Let the client ask for another address, or set the prefix active again.",
  },
  "interface-keeps-another": {
    sentence: "interface holds another address",
    remedy: "Let the client ask for the address it holds, or delete the interface.",
  },
  "device-not-expected": {
    sentence: "device is not expected here",
    remedy: "Declare the device or reserve an address for it, or set the segment's admission to open.",
  },
  "device-held-elsewhere": {
    sentence: "device holds an address on another segment",
    remedy: "Wait for the end of the lease there, or change rehome of that segment.",
  },
  "no-such-lease": {
    sentence: "no such lease",
    remedy: "Nothing to do: the address was given back already or is leased to another client.",
  },
  "no-such-segment": {
    sentence: "no such segment",
    remedy: "Nothing to do: the segment was deleted; the daemon follows the change.",
  },
} as const satisfies Readonly<Record<string, { readonly sentence: string; readonly remedy: string }>>;

export type ReasonCode = keyof typeof REASONS;
/** The sentence of a reason. */
export type Refusal = (typeof REASONS)[ReasonCode]["sentence"];

/** Why the replica has nothing to offer; beside the reasons above. */
export const NO_OFFER = {
  "segment-full": {
    sentence: "segment is full",
    remedy: "Add a prefix to the segment, or shorten its leases or grace period.",
  },
  "role-pool-full": {
    sentence: "pool of the role is full",
    remedy: "Enlarge the pool of the role, or add another one.",
  },
  "segment-draining": {
    sentence: "segment is draining",
    remedy: "Set the segment or one of its prefixes active again.",
  },
  "no-prefix-of-family": {
    sentence: "no prefix of this family",
    remedy: "Add a prefix of this address family to the segment.",
  },
} as const satisfies Readonly<Record<string, { readonly sentence: string; readonly remedy: string }>>;

export type NoOfferCode = keyof typeof NO_OFFER;

const codes = new Map(
  Object.entries({ ...REASONS, ...NO_OFFER }).map(([code, { sentence }]) => [
    sentence as string,
    code as ReasonCode | NoOfferCode,
  ]),
);

/** The code of a sentence of the tables, or of one about the pool of a role. */
export function reasonCodeOf(because: string): ReasonCode | NoOfferCode | undefined {
  return because.startsWith("pool of ") ? "role-pool-full" : codes.get(because);
}
