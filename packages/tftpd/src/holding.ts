import type { Holding, Replica } from "@firstlight/ipam";

/** The lease of an address: an event carries the MAC of its lease. */
export const HOLDING = {
  kinds: ["lease"],
  indexes: [],
} as const satisfies Holding;

/** The replica of tftpd: it has no method that needs other rows. */
export type TftpdReplica = Replica<typeof HOLDING>;
