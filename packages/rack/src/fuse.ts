/**
 * Signals that all abort with one. An `AbortSignal` walks through all its listeners whenever one comes or goes: thirty
 * thousand interfaces that wait on the same one would do little else.
 */
export class Fuse {
  readonly #signal: AbortSignal;
  readonly #branches: AbortController[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const blow = (): void => {
      for (const branch of this.#branches) branch.abort(signal.reason);
    };
    signal.addEventListener("abort", blow, { once: true });
  }

  get isBlown(): boolean {
    return this.#signal.aborted;
  }

  /** A signal for one interface, for as long as there is power. */
  branch(): AbortSignal {
    if (this.isBlown) return this.#signal;
    const branch = new AbortController();
    this.#branches.push(branch);
    return branch.signal;
  }
}
