import type { Holding, Replica } from "@firstlight/ipam";

/** Everything that decides on an address and on its options; declared names decide on none. */
export const HOLDING = {
  kinds: ["domain", "segment", "prefix", "expected", "reservation", "interface", "lease"],
  indexes: ["interfaceByIdentity", "leaseByInterface"],
} as const satisfies Holding;

/** The replica of dhcpd: it has no method that needs other rows. */
export type DhcpdReplica = Replica<typeof HOLDING>;
