import { LruMap } from "./lru-map.ts";

/** How often something may happen: `burst` at once, `perSecond` in the long run. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets by key. Bounded: the least recently used bucket is evicted; its key starts again with a full one. */
export class TokenBuckets<Key> {
  readonly #buckets: LruMap<Key, Bucket>;

  constructor(maxKeys: number) {
    this.#buckets = new LruMap(maxKeys);
  }

  /** Whether the key has a token left at `now` (milliseconds); takes it. */
  take(key: Key, { perSecond, burst }: Rate, now: number): boolean {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = { tokens: burst, at: now }));
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, now - bucket.at) * perSecond) / 1000);
    bucket.at = now; // also after the clock was set back: refilling continues from the new time
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
