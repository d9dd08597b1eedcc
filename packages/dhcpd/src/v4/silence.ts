import type { Refusal } from "@firstlight/ipam";

/**
 * How the constraint's no reaches the client. A NAK sends it back to DISCOVER, where it gets another address; silence is
 * for those who would only come back with the same question.
 */
export const REFUSALS: Readonly<Record<Refusal, "nak" | "silence">> = {
  "address is bound to another interface": "nak",
  "address rests until its grace has passed": "nak",
  "address is not assignable in this segment": "nak",
  "address is reserved for another": "nak",
  "address is not in a pool of its role": "nak",
  "prefix is draining": "nak",
  "interface holds another address": "nak",
  "device holds an address on another segment": "silence",
  "device is not expected here": "silence",
  "no such lease": "silence",
  "no such segment": "silence",
};
