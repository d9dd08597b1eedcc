/**
 * What replicas of a daemon share: limits and fan-out (ADR 0011). Two implementations behind one contract suite:
 * Redis where `redis.url` is set, this process alone where it is not (a single box needs none).
 * No correctness depends on it: losing all of it costs speed only.
 */
export interface Shared extends AsyncDisposable {
  readonly engine: "redis" | "process";
  /** Takes one token of `key`'s bucket (`burst` deep, refilled at `perSecond`). Redis away: falls back to this process. */
  take(key: string, perSecond: number, burst: number): Promise<boolean>;
  /** Sends to every subscriber of the channel in every replica, at most once, without order across publishers. */
  publish(channel: string, message: string): Promise<void>;
  subscribe(channel: string, listener: (message: string) => void): Promise<AsyncDisposable>;
}
