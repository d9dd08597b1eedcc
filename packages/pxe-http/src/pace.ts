import { Recent } from "@firstlight/service";

/** How often something may happen per key: `burst` at once, `perSecond` in the long run. Bounded in keys. */
export class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #buckets: Recent<string, { readonly tokens: number; readonly at: number }>;

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }, mostKeys: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#buckets = new Recent(mostKeys);
  }

  take(key: string, now: number): boolean {
    const { tokens, at } = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    const filled = Math.min(this.#burst, tokens + (Math.max(0, now - at) * this.#perSecond) / 1000);
    this.#buckets.set(key, { tokens: filled < 1 ? filled : filled - 1, at: now });
    return filled >= 1;
  }
}
