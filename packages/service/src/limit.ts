import { Buckets, type Rate } from "./buckets.ts";

/** Token buckets that all fill at one rate: how often something may happen, per key. */
export class Limit<Key> {
  readonly #rate: Rate;
  readonly #buckets: Buckets<Key>;

  constructor(rate: Rate, mostKeys: number) {
    this.#rate = rate;
    this.#buckets = new Buckets(mostKeys);
  }

  take(key: Key, now: number): boolean {
    return this.#buckets.take(key, this.#rate, now);
  }
}
