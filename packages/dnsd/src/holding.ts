import type { Holding, Replica } from "@firstlight/ipam";

/** Everything that gives records; a reservation gives none until it is leased. */
export const HOLDING = {
  kinds: ["domain", "segment", "prefix", "expected", "interface", "lease", "name"],
  indexes: ["interfaceByIdentity", "interfaceByLabel", "leaseByInterface", "nameByDomain", "nameByOwner"],
} as const satisfies Holding;

/** The replica of dnsd: it has no method that needs other rows. */
export type DnsdReplica = Replica<typeof HOLDING>;
