import type { Holding, Replica } from "@firstlight/ipam";

/**
 * Domains, segments and prefixes give the zones. Interfaces, leases and names tell which names of the resolver's cache
 * are outdated.
 */
export const HOLDING = {
  kinds: ["domain", "segment", "prefix", "interface", "lease", "name"],
  indexes: ["leaseByInterface"],
} as const satisfies Holding;

/** The replica of unbound-config: it has no method that needs other rows. */
export type UnboundConfigReplica = Replica<typeof HOLDING>;
