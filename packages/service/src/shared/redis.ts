import { Redis } from "ioredis";
import type { Logger } from "pino";
import { Counter, type Registry } from "prom-client";
import { backoffMs } from "../time/backoff.ts";
import type { Clock } from "../time/clock.ts";
import { readSecret } from "../config/secret.ts";
import type { Shared } from "./shared.ts";
import { fanOut } from "./fan-out.ts";
import { processShared } from "./process.ts";

export interface RedisOptions {
  readonly url: string;
  readonly passwordFile?: string | undefined;
  /** All keys and channels of one site begin with it. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** A token bucket in one round trip, on Redis' own clock, which expires once it is full again. */
const TAKE = `
local now = redis.call("TIME")
local ms = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call("HMGET", KEYS[1], "tokens", "at")
local tokens = math.min(burst, tonumber(kept[1] or burst) + math.max(0, ms - tonumber(kept[2] or ms)) / 1000 * rate)
local taken = 0
if tokens >= 1 then tokens = tokens - 1; taken = 1 end
redis.call("HSET", KEYS[1], "tokens", tostring(tokens), "at", tostring(ms))
redis.call("PEXPIRE", KEYS[1], math.min(86400000, math.ceil((burst - tokens) / math.max(rate, 0.001) * 1000) + 1000))
return taken`;

/** The longest that a packet waits for a rate limit. */
const COMMAND_MS = 250;

/** Limits and fan-out over Redis. While Redis is unreachable, they work within this process; each such operation is counted. */
export function redisShared(options: RedisOptions): Shared {
  const { prefix, log } = options;
  const fallback = processShared(options.clock);
  const fallbacks = new Counter({
    name: "firstlight_redis_fallbacks_total",
    help: "Operations done within this process because Redis was unreachable",
    labelNames: ["operation"],
    registers: [options.metrics],
  });
  const connection = connect(options);
  connection.defineCommand("take", { numberOfKeys: 1, lua: TAKE });
  const commands = connection as Redis & { take(key: string, perSecond: number, burst: number): Promise<number> };
  const subscriptions = fanOut(connection.duplicate(), prefix, fallback);
  let isAway = false;
  connection.on("error", (error) => {
    if (!isAway) log.warn({ error }, "redis is away; limits are per process");
    isAway = true;
  });
  connection.on("ready", () => {
    if (isAway) log.info("redis is back");
    isAway = false;
  });

  const orFallback = async <T>(operation: string, remote: () => Promise<T>, local: () => Promise<T>): Promise<T> => {
    try {
      return await remote();
    } catch {
      fallbacks.inc({ operation });
      return local();
    }
  };
  return {
    engine: "redis",
    take: (key, perSecond, burst) =>
      orFallback(
        "take",
        async () => (await commands.take(`${prefix}limit:${key}`, perSecond, burst)) === 1,
        () => fallback.take(key, perSecond, burst),
      ),
    publish: (channel, message) =>
      orFallback(
        "publish",
        async () => void (await connection.publish(prefix + channel, message)),
        () => fallback.publish(channel, message),
      ),
    subscribe: subscriptions.subscribe,
    [Symbol.asyncDispose]: async () => {
      connection.disconnect();
      subscriptions.stop();
      await fallback[Symbol.asyncDispose]();
    },
  };
}

function connect({ url, passwordFile }: RedisOptions): Redis {
  return new Redis(url, {
    ...(passwordFile === undefined ? {} : { password: readSecret(passwordFile) }),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    commandTimeout: COMMAND_MS,
    retryStrategy: (attempt) => backoffMs(attempt, Math.random(), { baseMs: 50, maxMs: 2000 }),
  });
}
