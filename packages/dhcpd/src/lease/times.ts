import type { Segment } from "@firstlight/ipam";

/** T1 in seconds: when a client starts to renew a lease of this length (RFC 2131 §4.4.5; half of it by default). */
export function renewalSeconds({ t1Percent = 50 }: Segment, leaseSeconds: number): number {
  return Math.floor((leaseSeconds * t1Percent) / 100);
}

/** T2 in seconds: when a client starts to rebind a lease of this length (RFC 2131 §4.4.5). */
export function rebindingSeconds(leaseSeconds: number): number {
  return Math.floor((leaseSeconds * 7) / 8);
}
