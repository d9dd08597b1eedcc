import { ApiUnavailable } from "./api.ts";

export interface TurnstileOptions {
  /** Calls under way at a time. */
  readonly most: number;
  /** Calls that may wait for their turn, in order, and for how long. */
  readonly mostWaiting: number;
  readonly patienceMs: number;
}

/**
 * So many calls at a time: a server that gets all at once answers each of them later than one that is asked in turn,
 * and too late the more there are. Bounded in number and in time; who does not get a turn is told so.
 */
export class Turnstile {
  readonly #options: TurnstileOptions;
  readonly #waiting = new Set<() => void>();
  #through = 0;

  constructor(options: TurnstileOptions) {
    this.#options = options;
  }

  async pass<T>(what: string, call: () => Promise<T>): Promise<T> {
    if (this.#through >= this.#options.most) await this.#turn(what);
    else this.#through++;
    try {
      return await call();
    } finally {
      const [next] = this.#waiting;
      if (next) next(); // the place is handed on
      else this.#through--;
    }
  }

  #turn(what: string): Promise<void> {
    const { most, mostWaiting, patienceMs } = this.#options;
    if (this.#waiting.size >= mostWaiting)
      return Promise.reject(new ApiUnavailable(`${what}: ${most} calls are under way and ${mostWaiting} wait already`));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const late = setTimeout(() => {
      this.#waiting.delete(next);
      reject(new ApiUnavailable(`${what}: no turn within ${patienceMs} ms behind ${this.#waiting.size} others`));
    }, patienceMs);
    const next = (): void => {
      clearTimeout(late);
      this.#waiting.delete(next);
      resolve();
    };
    this.#waiting.add(next);
    return promise;
  }
}
