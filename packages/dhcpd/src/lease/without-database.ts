import type { ClientIdentity, Lease } from "@firstlight/ipam";
import type { IPv4 } from "@firstlight/wire";
import type { Reason } from "../reasons.ts";

/** A lease that may be acknowledged without the database, or the reason why not. */
export type OfflineLease =
  | { readonly is: "standing"; readonly leaseSeconds: number }
  | { readonly is: "none"; readonly because: Reason };

const none = (because: Reason): OfflineLease => ({ is: "none", because });

/**
 * While the database is away, a lease is acknowledged only if the replica has it bound to this interface, and only until
 * `marginMs` before the address could be given to another. `now` is the estimated database time.
 */
export function leaseWithoutDatabase(
  lease: Lease | undefined,
  asked: {
    readonly identity: ClientIdentity;
    readonly segment: number;
    readonly address: IPv4;
    readonly leaseSeconds: number;
  },
  now: number,
  marginMs: number,
): OfflineLease {
  if (lease?.state !== "bound") return none("database-away-not-bound");
  if (lease.identity !== asked.identity || lease.segment !== asked.segment || lease.address !== asked.address) {
    return none("database-away-bound-elsewhere");
  }
  const leftSeconds = Math.floor((lease.reusableAt - marginMs - now) / 1000);
  if (leftSeconds < 1) return none("database-away-grace-over");
  return { is: "standing", leaseSeconds: Math.min(asked.leaseSeconds, leftSeconds) };
}
