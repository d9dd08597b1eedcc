import type { Clock } from "@firstlight/service";

/** The time at which a test's clock begins: 2026-01-01T00:00:00Z, in milliseconds since the epoch. */
export const CLOCK_START = Date.UTC(2026, 0, 1);

/** A clock that only `advance` moves. */
export class ManualClock implements Clock {
  #now: number;

  constructor(now = CLOCK_START) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
