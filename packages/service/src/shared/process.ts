import { TokenBuckets } from "../limit/token-buckets.ts";
import type { Clock } from "../time/clock.ts";
import type { Shared } from "./shared.ts";

const MAX_KEYS = 65_536;

/** Limits and fan-out within this process only. */
export function processShared(clock: Clock): Shared {
  const buckets = new TokenBuckets<string>(MAX_KEYS);
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    engine: "process",
    take: async (key, perSecond, burst) => buckets.take(key, { perSecond, burst }, clock.now()),
    publish: async (channel, message) => {
      for (const listener of listeners.get(channel) ?? []) queueMicrotask(() => listener(message));
    },
    subscribe: async (channel, listener) => {
      const own = (message: string): void => listener(message); // one listener may subscribe twice
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(own));
      return {
        [Symbol.asyncDispose]: async () => {
          set.delete(own);
          if (set.size === 0 && listeners.get(channel) === set) listeners.delete(channel);
        },
      };
    },
    [Symbol.asyncDispose]: async () => listeners.clear(),
  };
}
