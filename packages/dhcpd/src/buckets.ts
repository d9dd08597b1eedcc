/** Token buckets by key: `burst` at once, `perSecond` in the long run. Bounded: the least recently used is forgotten. */
export class Buckets {
  readonly #by = new Map<number, { tokens: number; at: number }>();
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #most: number;

  constructor({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }, most: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#most = most;
  }

  take(key: number, now: number): boolean {
    const bucket = this.#by.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (Math.max(0, now - bucket.at) * this.#perSecond) / 1000);
    bucket.at = now;
    this.#by.delete(key);
    this.#by.set(key, bucket);
    for (const oldest of this.#by.keys()) {
      if (this.#by.size <= this.#most) break;
      this.#by.delete(oldest);
    }
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
