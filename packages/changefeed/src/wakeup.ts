/** A pause that a wake-up ends. A wake-up between two pauses ends the next one at once. */
export class Wakeup {
  #isDue = false;
  readonly #waiting = new Set<() => void>();

  wake(): void {
    this.#isDue = true;
    for (const resume of this.#waiting) resume();
  }

  /** Until a wake-up, the signal, or the end of `ms`. Any number may wait at once. */
  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (!this.#isDue && !signal?.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      const stopped = (): void => resolve();
      this.#waiting.add(resolve);
      signal?.addEventListener("abort", stopped);
      await promise;
      signal?.removeEventListener("abort", stopped);
      clearTimeout(timer);
      this.#waiting.delete(resolve);
    }
    this.#isDue = false;
  }
}
