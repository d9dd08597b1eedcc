/** How long a port under load waits for packets to gather, instead of one wake-up per packet. */
export const GATHER_MS = 1;
/** A wake-up this soon after the last one means load, or one client in lock-step. */
const SOON_MS = 1;
/** A delay that gathered fewer packets was not worth it; each one in a row doubles the time without delays. */
const WORTH = 2;
const [LEAST_REFRAIN_MS, MOST_REFRAIN_MS] = [1, 64];

/**
 * Decides when to delay a read so that packets gather (interrupt coalescing): a wake-up costs as much as ten packets.
 * Starts when wake-ups are close together and continues while delays gather packets; a lone client is not delayed.
 */
export class WakeupCoalescer {
  #wokeAt = -Infinity;
  #refrainMs = LEAST_REFRAIN_MS;
  #refrainUntil = -Infinity;
  #isLoaded = false;
  /** A delay was made whose result is not reported yet. */
  isDelayed = false;

  /** The waiter saw a packet. */
  onWakeup(now: number): void {
    this.#isLoaded = now - this.#wokeAt < SOON_MS && now >= this.#refrainUntil;
    this.#wokeAt = now;
  }

  /** Nothing is left to read: whether to delay the next read. */
  shouldDelay(): boolean {
    return (this.isDelayed = this.#isLoaded);
  }

  /** Reports what the read after a delay found. */
  onDelayedRead(packets: number, now: number): void {
    this.isDelayed = false;
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
