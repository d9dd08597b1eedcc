import type { Lease } from "@firstlight/ipam";
import type { IPv4, Mac } from "@firstlight/wire";
import type { Reason } from "../reasons.ts";

/** A promise that may be spoken without the database, or why not. */
export type Standing =
  | { readonly is: "standing"; readonly leaseSeconds: number }
  | { readonly is: "none"; readonly because: Reason };

const none = (because: Reason): Standing => ({ is: "none", because });

/**
 * What may be acknowledged while the database is away: only what the replica shows bound to this very interface, and
 * only until shortly before anybody else could get the address. `now` is the database's time as estimated.
 */
export function standing(
  lease: Lease | undefined,
  asked: { readonly mac: Mac; readonly segment: number; readonly address: IPv4; readonly leaseSeconds: number },
  now: number,
  marginMs: number,
): Standing {
  if (lease?.state !== "bound") return none("database-away-not-bound");
  if (lease.mac !== asked.mac || lease.segment !== asked.segment || lease.address !== asked.address) {
    return none("database-away-bound-elsewhere");
  }
  const leftSeconds = Math.floor((lease.reusableAt - marginMs - now) / 1000);
  if (leftSeconds < 1) return none("database-away-grace-over");
  return { is: "standing", leaseSeconds: Math.min(asked.leaseSeconds, leftSeconds) };
}
