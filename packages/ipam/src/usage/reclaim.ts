import { type Use, usedOf } from "./utilisation.ts";

/** Most addresses taken back from one prefix in one round. */
export const MOST_RECLAIMED = 1000;

/**
 * How many addresses a prefix should get back: none below the threshold, above it as many as lead back to it. Whose they are
 * is the database's to say: those longest idle first, and only what belongs to no machine, device or reservation.
 */
export function pressure(use: Use, abovePercent: number): number {
  const most = Math.floor((use.assignable * abovePercent) / 100);
  return Math.max(0, Math.min(usedOf(use) - most, MOST_RECLAIMED));
}
