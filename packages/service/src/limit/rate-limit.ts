import { TokenBuckets, type Rate } from "./token-buckets.ts";

/** One rate limit for each key: token buckets that all have the same rate and burst. */
export class RateLimit<Key> {
  readonly #rate: Rate;
  readonly #buckets: TokenBuckets<Key>;

  constructor(rate: Rate, maxKeys: number) {
    this.#rate = rate;
    this.#buckets = new TokenBuckets(maxKeys);
  }

  /** Whether the key has a token left at `now` (milliseconds); takes it. */
  take(key: Key, now: number): boolean {
    return this.#buckets.take(key, this.#rate, now);
  }
}
