/** Why an address is not given or not taken back: a stable code, its sentence (logs, option 56 of a NAK) and the remedy. */
export const ADDRESS_REASONS = {
  "address-bound-elsewhere": {
    sentence: "address is bound to another interface",
    remedy: "Normal after a change: the client begins anew and gets another address.",
  },
  "interface-holds-another-address": {
    sentence: "interface holds another address",
    remedy: "Normal after a change: the client begins anew and gets the address on record.",
  },
  "address-resting": {
    sentence: "address rests until its grace has passed",
    remedy:
      "It was released or declined lately: see graceSeconds of the segment. After a decline, find who else uses it.",
  },
  "address-not-assignable": {
    sentence: "address is not assignable in this segment",
    remedy: "It is reserved, excluded or the gateway's: the client gets another one.",
  },
  "address-reserved": {
    sentence: "address is reserved for another",
    remedy: "It is declared for another device: the client gets another one.",
  },
  "address-not-in-pool": {
    sentence: "address is not in a pool of its role",
    remedy: "Ranges are kept for roles: the client gets another address at its next DISCOVER.",
  },
  "prefix-draining": {
    sentence: "prefix is draining",
    remedy: "The client gets an address of another prefix at its next DISCOVER.",
  },
  "device-not-expected": {
    sentence: "device is not expected here",
    remedy: "Name its MAC in expectedMachines; where the segment has allocation: reserved, declare its address too.",
  },
  "device-on-another-segment": {
    sentence: "device holds an address on another segment",
    remedy:
      "Its other segment has rehome: refuse. It gets an address here once its lease there is over; firstlight history of MAC shows where.",
  },
  "no-such-lease": {
    sentence: "no such lease",
    remedy: "It was deleted meanwhile: the client begins anew.",
  },
  "no-such-segment": {
    sentence: "no such segment",
    remedy: "It was deleted meanwhile: the client begins anew.",
  },
} as const satisfies Texts;

/** Why the replica has no address to offer; two of the reasons above say it too. */
export const NO_OFFER_REASONS = {
  "segment-full": { sentence: "segment is full", remedy: "Add a prefix, or shorten leaseSeconds and graceSeconds." },
  "pool-full": {
    sentence: "the pools of its role are full",
    remedy: "Widen one of the pools that the event names.",
  },
  "segment-draining": {
    sentence: "segment is draining",
    remedy: "Undrain it with firstlight segments undrain, or move the machine.",
  },
  "no-prefix-of-family": { sentence: "no prefix of this family", remedy: "Give the segment an IPv4 prefix." },
} as const satisfies Texts;

type Texts = Readonly<Record<string, { readonly sentence: string; readonly remedy: string }>>;

/** Why the policy or a lease batch refuses. */
export type AddressReason = keyof typeof ADDRESS_REASONS;
/** Why the replica offers nothing. */
export type NoOfferReason = keyof typeof NO_OFFER_REASONS | "device-not-expected" | "device-on-another-segment";
