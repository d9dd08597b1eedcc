import type { Redis } from "ioredis";
import type { Shared } from "./shared.ts";

/**
 * Subscriptions over a Redis connection that carries nothing else. They are made again after each reconnect. While Redis is away,
 * messages that this process publishes reach its own subscribers through `fallback`.
 */
export function fanOut(
  connection: Redis,
  prefix: string,
  fallback: Shared,
): { subscribe: Shared["subscribe"]; stop(): void } {
  const listeners = new Map<string, Set<(message: string) => void>>();
  connection.on("error", ignoreError);
  connection.on("ready", () => {
    if (listeners.size > 0)
      connection.subscribe(...[...listeners.keys()].map((channel) => prefix + channel)).catch(ignoreError);
  });
  connection.on("message", (channel: string, message: string) => {
    for (const listener of listeners.get(channel.slice(prefix.length)) ?? []) listener(message);
  });
  return {
    subscribe: async (channel, listener) => {
      const own = (message: string): void => listener(message); // one listener may subscribe twice
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(own));
      const inProcess = await fallback.subscribe(channel, own);
      if (connection.status === "ready") await connection.subscribe(prefix + channel).catch(ignoreError);
      return {
        [Symbol.asyncDispose]: async () => {
          await inProcess[Symbol.asyncDispose]();
          set.delete(own);
          if (set.size > 0 || listeners.get(channel) !== set) return;
          listeners.delete(channel);
          await connection.unsubscribe(prefix + channel).catch(ignoreError);
        },
      };
    },
    stop: () => connection.disconnect(),
  };
}

/** A failed subscription is made again on `ready`. */
const ignoreError = (): void => {};
