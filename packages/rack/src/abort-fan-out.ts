/**
 * Signals that abort together with one parent signal. Adding or removing a listener of an `AbortSignal` takes time in
 * proportion to its listeners, which is too slow with thirty thousand interfaces on one signal.
 */
export class AbortFanOut {
  readonly #signal: AbortSignal;
  readonly #branches: AbortController[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const abortAll = (): void => {
      for (const branch of this.#branches) branch.abort(signal.reason);
    };
    signal.addEventListener("abort", abortAll, { once: true });
  }

  get isAborted(): boolean {
    return this.#signal.aborted;
  }

  /** A new signal that aborts with the parent. */
  branch(): AbortSignal {
    if (this.isAborted) return this.#signal;
    const branch = new AbortController();
    this.#branches.push(branch);
    return branch.signal;
  }
}
