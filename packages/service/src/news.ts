/** A loop's pause that news ends: what is told between two waits ends the next one at once. */
export class News {
  #isNew = false;
  #heard: (() => void) | undefined;

  tell(): void {
    this.#isNew = true;
    this.#heard?.();
  }

  /** Until there is news, or the time is over. One waits at a time. */
  async wait(ms: number): Promise<void> {
    if (!this.#isNew) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      this.#heard = resolve;
      await promise;
      this.#heard = undefined;
      clearTimeout(timer);
    }
    this.#isNew = false;
  }
}
