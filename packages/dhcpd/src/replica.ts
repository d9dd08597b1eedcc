import type { ReplicaOf } from "@firstlight/ipam";

/** The kinds of rows that the daemon's replica holds: those that it asks for, and no others. */
export const KINDS = ["domain", "segment", "prefix", "expected", "reservation", "interface", "lease"] as const;

/** The replica of this daemon: it can answer what these kinds of rows can. */
export type Replica = ReplicaOf<(typeof KINDS)[number]>;
