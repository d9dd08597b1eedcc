import type { Redis } from "ioredis";
import type { Shared } from "./shared.ts";

/**
 * Subscriptions over a connection of their own. They are kept here and repeated on each reconnect; while Redis is away,
 * messages that this process publishes to itself arrive through `alone`.
 */
export function fanOut(
  connection: Redis,
  prefix: string,
  alone: Shared,
): { subscribe: Shared["subscribe"]; stop(): void } {
  const listeners = new Map<string, Set<(message: string) => void>>();
  connection.on("error", quiet);
  connection.on("ready", () => {
    if (listeners.size > 0)
      connection.subscribe(...[...listeners.keys()].map((channel) => prefix + channel)).catch(quiet);
  });
  connection.on("message", (channel: string, message: string) => {
    for (const listener of listeners.get(channel.slice(prefix.length)) ?? []) listener(message);
  });
  return {
    subscribe: async (channel, listener) => {
      const own = (message: string): void => listener(message);
      const set = listeners.get(channel) ?? new Set();
      listeners.set(channel, set.add(own));
      const local = await alone.subscribe(channel, own);
      if (connection.status === "ready") await connection.subscribe(prefix + channel).catch(quiet);
      return {
        [Symbol.asyncDispose]: async () => {
          await local[Symbol.asyncDispose]();
          set.delete(own);
          if (set.size > 0 || listeners.get(channel) !== set) return;
          listeners.delete(channel);
          await connection.unsubscribe(prefix + channel).catch(quiet);
        },
      };
    },
    stop: () => connection.disconnect(),
  };
}

/** A failed subscription is repeated on `ready`. */
const quiet = (): void => {};
