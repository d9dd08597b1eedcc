import type { Clock } from "@firstlight/service";

/** When a test's day begins: 2026-01-01T00:00:00Z. */
export const DAWN = Date.UTC(2026, 0, 1);

/** A clock that moves when it is told to. */
export class ManualClock implements Clock {
  #now: number;

  constructor(now = DAWN) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}
