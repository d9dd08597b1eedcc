import type { PoolForm } from "./slot.ts";

/** Values that are given to owners one by one: VLANs, VNIs, ASNs, loopbacks, delegated prefixes. */
export interface PoolEdit extends PoolForm {
  readonly name: string;
  /** `100-199`, `10.0.0.0/24`, `2001:db8::/32`: in the words of `slot.ts`. */
  readonly ranges: readonly string[];
  readonly excluded: readonly string[];
}

/** A pool with how much of it is left. */
export interface Pool extends PoolEdit {
  readonly granted: number;
  readonly free: bigint;
  readonly version: number;
}

/** One value, and whose it is. Milliseconds since the epoch. */
export interface Grant {
  readonly pool: string;
  readonly value: string;
  readonly owner: string;
  readonly at: number;
}

/** An owner has one value of a pool: asking again is answered with it, so that a lost answer costs nothing. */
export interface GrantRequest {
  readonly pool: string;
  readonly owner: string;
  /** This value or none. */
  readonly wanted?: string | undefined;
  /** Where to begin looking. */
  readonly hint?: string | undefined;
}
