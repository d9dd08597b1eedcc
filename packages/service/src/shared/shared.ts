/**
 * What several processes of one daemon share: rate limits and messages to one another (ADR 0011). There are two implementations: Redis
 * where `redis.url` is set, otherwise this process. One suite (`test/shared.test.ts`) tests both.
 * No correctness depends on it: the loss of all of it costs speed only.
 */
export interface Shared extends AsyncDisposable {
  readonly engine: "redis" | "process";
  /** Takes one token of `key`'s bucket (`burst` deep, refilled at `perSecond`). While Redis is away, the bucket of this process counts. */
  take(key: string, perSecond: number, burst: number): Promise<boolean>;
  /** Sends to every subscriber of the channel in every process, at most once; messages of different publishers have no order. */
  publish(channel: string, message: string): Promise<void>;
  /** Calls `listener` for each message of the channel until the subscription is disposed. */
  subscribe(channel: string, listener: (message: string) => void): Promise<AsyncDisposable>;
}
