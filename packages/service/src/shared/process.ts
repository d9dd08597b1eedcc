import { Buckets } from "../buckets.ts";
import type { Clock } from "../clock.ts";
import type { Shared } from "../shared.ts";
import { Recent } from "./recent.ts";

/** Longest value kept: what a rendered script or a small answer needs. */
export const MAX_VALUE_BYTES = 64 * 1024;
const MAX_KEYS = 65_536;
const MAX_VALUES = 1024;

/** Limits, cache and fan-out of this process alone. */
export function processShared(clock: Clock): Shared {
  const buckets = new Buckets<string>(MAX_KEYS);
  const values = new Recent<string, { value: string; until: number }>(MAX_VALUES);
  const listeners = new Map<string, Set<(message: string) => void>>();
  return {
    engine: "process",
    take: async (key, perSecond, burst) => buckets.take(key, { perSecond, burst }, clock.now()),
    get: async (key) => {
      const kept = values.get(key);
      return kept !== undefined && clock.now() < kept.until ? kept.value : undefined;
    },
    set: async (key, value, ttlSeconds) => {
      if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return;
      values.set(key, { value, until: clock.now() + ttlSeconds * 1000 });
    },
    publish: async (channel, message) => {
      for (const listener of listeners.get(channel) ?? []) queueMicrotask(() => listener(message));
    },
    subscribe: async (channel, listener) => {
      const own = (message: string): void => listener(message);
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
