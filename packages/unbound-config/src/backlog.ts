import { flushesOfZones } from "./flush.ts";

export interface BacklogLimits {
  /** dnsd follows the same feed on its own and may be behind: whoever asked in between has its "no" for this long at most. */
  readonly settleMs: number;
  /** Flushes waiting; beyond it zones are flushed whole. */
  readonly most: number;
}

/**
 * Flushes to be done: each at once, and again after a time. The same one twice is one. Bounded: what would be too many
 * names becomes a few zones.
 */
export class Backlog {
  readonly #limits: BacklogLimits;
  readonly #due = new Set<string>();
  /** When a flush is to be repeated; in that order, for the delay is the same for all. */
  readonly #again = new Map<string, number>();

  constructor(limits: BacklogLimits) {
    this.#limits = limits;
  }

  get pending(): number {
    return this.#due.size;
  }

  /** When the next flush is due: 0 for now, Infinity for none. */
  get dueAt(): number {
    if (this.#due.size > 0) return 0;
    for (const at of this.#again.values()) return at;
    return Number.POSITIVE_INFINITY;
  }

  add(flushes: Iterable<string>, zones: () => Iterable<string>, now: number): void {
    for (const flush of flushes) this.#put(flush, now);
    if (this.#again.size <= this.#limits.most && this.#due.size <= this.#limits.most) return;
    this.#due.clear();
    this.#again.clear();
    for (const flush of flushesOfZones(zones())) this.#put(flush, now);
  }

  /** The next flush to do; what fails comes back by `retry`. */
  take(now: number): string | undefined {
    for (const [flush, at] of this.#again) {
      if (at > now) break;
      this.#again.delete(flush);
      this.#due.add(flush);
    }
    for (const flush of this.#due) {
      this.#due.delete(flush);
      return flush;
    }
    return undefined;
  }

  retry(flush: string): void {
    this.#due.add(flush);
  }

  #put(flush: string, now: number): void {
    this.#due.add(flush);
    this.#again.delete(flush);
    if (this.#limits.settleMs > 0) this.#again.set(flush, now + this.#limits.settleMs);
  }
}
