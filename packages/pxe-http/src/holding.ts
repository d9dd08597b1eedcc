import type { Holding, Replica } from "@firstlight/ipam";

/** The lease of an address, and its interface by id: who asks. */
export const HOLDING = {
  kinds: ["interface", "lease"],
  indexes: [],
} as const satisfies Holding;

/** The replica of pxe-http: it has no method that needs other rows. */
export type PxeHttpReplica = Replica<typeof HOLDING>;
