import { ApiUnavailable } from "./api.ts";

export interface ConcurrencyLimitOptions {
  /** Most calls in progress. */
  readonly most: number;
  /** Most calls waiting, and the longest wait. */
  readonly mostWaiting: number;
  readonly maxWaitMs: number;
}

/**
 * Limits the calls in progress, because a server that gets all of them at once answers each one too late. Waiting calls
 * run in order, bounded in number and time; beyond a bound the call rejects with `ApiUnavailable`.
 */
export class ConcurrencyLimit {
  readonly #options: ConcurrencyLimitOptions;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = options;
  }

  async run<T>(what: string, call: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.most) await this.#wait(what);
    else this.#running++;
    try {
      return await call();
    } finally {
      const [next] = this.#waiting;
      if (next) next(); // the next call takes this place
      else this.#running--;
    }
  }

  #wait(what: string): Promise<void> {
    const { most, mostWaiting, maxWaitMs } = this.#options;
    if (this.#waiting.size >= mostWaiting)
      return Promise.reject(new ApiUnavailable(`${what}: ${most} calls are under way and ${mostWaiting} wait already`));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => {
      this.#waiting.delete(next);
      reject(new ApiUnavailable(`${what}: no turn within ${maxWaitMs} ms behind ${this.#waiting.size} others`));
    }, maxWaitMs);
    const next = (): void => {
      clearTimeout(late);
      this.#waiting.delete(next);
      resolve();
    };
    this.#waiting.add(next);
    return promise;
  }
}
