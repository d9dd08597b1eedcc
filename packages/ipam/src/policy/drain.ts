import type { PrefixRow, Segment } from "../model/model.ts";

/** Whether a prefix gives no new address any more: by its own state, or its segment's. */
export function isDraining(segment: Pick<Segment, "state">, row: Pick<PrefixRow, "state">): boolean {
  return segment.state === "draining" || row.state === "draining";
}

/** How long the holder of an address may renew; `because`: it is to begin anew instead, for there is another one for it. */
export interface Term {
  readonly leaseSeconds: number;
  readonly because?: "prefix-draining";
}

/** Less than this is no lease worth renewing. */
const LEAST_SECONDS = 60;
/** What those get that have nowhere to go: short, so that they move soon after there is room. */
const STAY_SECONDS = 300;

/**
 * The lease of who renews in a prefix, or comes back with its address. Where it drains, leases end with the drain; who
 * begins anew, or renews after that, moves: unless nothing else is there for it (`hasElsewhere`, asked only where it matters).
 */
export function termOf(
  segment: Segment,
  row: PrefixRow,
  { now, isRenewing, hasElsewhere }: { now: number; isRenewing: boolean; hasElsewhere: () => boolean },
): Term {
  const { leaseSeconds } = segment;
  if (!isDraining(segment, row)) return { leaseSeconds };
  const leftSeconds = Math.floor((drainEnd(segment, row) - now) / 1000);
  if (isRenewing && leftSeconds >= LEAST_SECONDS) return { leaseSeconds: Math.min(leaseSeconds, leftSeconds) };
  const stays = { leaseSeconds: Math.min(leaseSeconds, STAY_SECONDS) };
  return hasElsewhere() ? { ...stays, because: "prefix-draining" } : stays;
}

/** The earlier of the two, where both drain. */
function drainEnd(segment: Segment, row: PrefixRow): number {
  const ends = [segment, row].map(({ state, drainBy = 0 }) => (state === "draining" ? drainBy : Infinity));
  return Math.min(...ends);
}
