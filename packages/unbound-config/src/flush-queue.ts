import { flushesOfZones } from "./flush.ts";

export interface FlushQueueLimits {
  /** Delay before a flush is repeated: dnsd follows the feed by itself, and a stale answer may be cached until then. */
  readonly settleMs: number;
  /** Most flushes waiting; beyond it whole zones are flushed. */
  readonly most: number;
}

/**
 * Pending flushes, without duplicates. Each is done at once and again after a delay. Bounded: too many names are replaced
 * by their zones.
 */
export class FlushQueue {
  readonly #limits: FlushQueueLimits;
  readonly #due = new Set<string>();
  /** When each flush is repeated, in time order, because the delay is constant. */
  readonly #again = new Map<string, number>();

  constructor(limits: FlushQueueLimits) {
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

  /** The next flush; the caller returns a failed one by `retry`. */
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
