/** How long a port under load lets packets gather, instead of waking a thread for each. */
export const PAUSE_MS = 1;
/** A wake-up this soon after the last one speaks of load, or of one client in lock-step. */
const SOON_MS = 1;
/** A pause that gathered fewer was wrong; after each in a row twice as long without one. */
const WORTH = 2;
const [LEAST_REFRAIN_MS, MOST_REFRAIN_MS] = [1, 64];

/**
 * When to gather: a thread hop costs as much as ten packets. Tried when wake-ups follow one another closely, kept up
 * while pauses find company; a lone client is answered as it comes, and one in lock-step but for one pause in 64 ms.
 */
export class Pause {
  #wokeAt = -Infinity;
  #refrainMs = LEAST_REFRAIN_MS;
  #refrainUntil = -Infinity;
  #isLoaded = false;
  /** A pause was made, and what it gathered is not told yet. */
  isDue = false;

  /** The thread has seen a packet. */
  woke(now: number): void {
    this.#isLoaded = now - this.#wokeAt < SOON_MS && now >= this.#refrainUntil;
    this.#wokeAt = now;
  }

  /** Nothing is left to read: whether to pause before the next look. */
  wants(): boolean {
    return (this.isDue = this.#isLoaded);
  }

  /** What the look after a pause found. */
  gave(packets: number, now: number): void {
    this.isDue = false;
    if (packets >= WORTH) {
      this.#refrainMs = LEAST_REFRAIN_MS;
      return;
    }
    this.#isLoaded = false;
    this.#wokeAt = now;
    this.#refrainUntil = now + this.#refrainMs;
    this.#refrainMs = Math.min(this.#refrainMs * 2, MOST_REFRAIN_MS);
  }
}
