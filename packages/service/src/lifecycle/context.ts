import type { Logger } from "pino";
import { systemClock } from "../time/clock.ts";
import type { Context } from "./daemon.ts";
import { createLog } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import type { Shared } from "../shared/shared.ts";
import { processShared } from "../shared/process.ts";
import { redisShared } from "../shared/redis.ts";
import type { SiteConfig } from "../config/site.ts";
import { loadCredentials } from "../config/credentials.ts";
import { createTraces } from "../telemetry/traces.ts";

/** A daemon's context; disposing it closes its connections and flushes its spans. */
export interface OwnedContext<Config> extends AsyncDisposable {
  readonly context: Context<Config>;
}

/** Builds what a daemon gets from the process: log, metrics, traces, credentials, shared limits. */
export async function createContext<Config>(
  daemon: { readonly name: string; readonly section: string },
  site: SiteConfig,
  sections: Readonly<Record<string, unknown>>,
  log: Logger = createLog(site, daemon.name),
): Promise<OwnedContext<Config>> {
  const metrics = createMetrics(site.site.name, daemon.name);
  const traces = await createTraces(site, daemon.name, metrics);
  const shared = createShared(site, { log, metrics });
  const context: Context<Config> = {
    config: sections[daemon.section] as Config,
    site,
    sections,
    log,
    metrics,
    traces,
    clock: systemClock,
    credentials: loadCredentials(site.trust.dir, daemon.name),
    shared,
  };
  return {
    context,
    [Symbol.asyncDispose]: async () => {
      await shared[Symbol.asyncDispose]();
      await traces?.stop().catch((error: unknown) => log.warn({ error }, "spans were lost"));
    },
  };
}

/** Shared over Redis where the site configures it, otherwise within this process. */
function createShared(site: SiteConfig, { log, metrics }: Pick<Context<unknown>, "log" | "metrics">): Shared {
  const { url, passwordFile } = site.redis;
  if (url === undefined) return processShared(systemClock);
  return redisShared({ url, passwordFile, prefix: `firstlight:${site.site.name}:`, clock: systemClock, log, metrics });
}
