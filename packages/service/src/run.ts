import type { Logger } from "pino";
import type { z } from "zod";
import { createContext } from "./context.ts";
import { type Daemon, type Readiness, type Running, Unfit } from "./daemon.ts";
import { faultLine } from "./faults.ts";
import { serveHealth } from "./http.ts";
import { loadSite } from "./load.ts";
import { createLog } from "./log.ts";
import { exposeReadiness } from "./metrics.ts";
import { REASONS } from "./reasons.ts";
import { signalled } from "./signals.ts";
import { parentProcess, type Supervisor } from "./supervisor.ts";
import { TimedOut, within } from "./within.ts";

export interface RunOptions {
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Validate the configuration and exit. */
  readonly check?: boolean | undefined;
  /** Schemas of the sections that this file may hold beside the daemon's own. */
  readonly sections?: Readonly<Record<string, z.ZodType>>;
}

/** Exit codes of every daemon: stopped as asked, could not run, cannot run as it is configured however often it starts. */
export const EXIT = { stopped: 0, failed: 1, config: 2 } as const;

const starting = (): Readiness => ({ ready: false, because: REASONS.starting.sentence });
const draining = (): Readiness => ({ ready: false, because: REASONS.draining.sentence });

const STOP_MS = 5_000;
const FLUSH_MS = 3_000; // drain, stop and flush together stay below the supervisor's patience

/**
 * The life of a daemon from its configuration to its exit code: context, start, ready; SIGTERM, SIGINT or the loss of
 * its supervisor drain it, bounded in time, and stop it; a second signal ends it at once. The caller exits with the result.
 */
export async function runDaemon(daemon: Daemon, options: RunOptions): Promise<number> {
  const loaded = loadSite(options.file, { ...options.sections, [daemon.section]: daemon.config }, options.env);
  if (loaded.is === "faulty") {
    for (const fault of loaded.faults) process.stderr.write(`${faultLine(fault)}\n`);
    return EXIT.config;
  }
  if (options.check === true) {
    process.stdout.write(`${options.file ?? "defaults"}: ok\n`);
    return EXIT.stopped;
  }
  const log = createLog(loaded.site, daemon.name);
  const drainMs = loaded.site.site.drainSeconds * 1000;
  crashOnBugs(log);
  const supervisor = parentProcess(process);
  const stop = signalled(process, supervisor);
  await using owned = await createContext(daemon, loaded.site, loaded.sections, log);
  let readiness: () => Readiness = starting;
  exposeReadiness(owned.context.metrics, () => readiness());
  try {
    await using _health = await healthServer(daemon, owned.context.config, owned.context.metrics, () => readiness());
    const started = daemon.start(owned.context);
    const running = await Promise.race([started, stop.then(() => within(Math.max(drainMs, STOP_MS), started))]);
    readiness = () => running.ready();
    log.info({ endpoints: running.endpoints }, "started");
    using _reports = reporting(daemon.name, running, supervisor);
    const because = await stop;
    readiness = draining;
    log.info({ because }, "stopping");
    await stopped(running, drainMs, log);
    return EXIT.stopped;
  } catch (error) {
    log.fatal({ error }, "could not run");
    return error instanceof Unfit ? EXIT.config : EXIT.failed;
  } finally {
    await flushed(log);
  }
}

/** A section that has a setting `health` is answered for there. */
async function healthServer(
  daemon: Daemon,
  config: unknown,
  metrics: Parameters<typeof serveHealth>[0]["metrics"],
  readiness: () => Readiness,
) {
  const at = (config as { health?: unknown } | undefined)?.health;
  return typeof at === "string" ? serveHealth({ at, daemon: daemon.name, metrics, readiness }) : undefined;
}

/** Tells the supervisor at once that it runs, and then whenever its readiness has changed. */
function reporting(daemon: string, running: Running, supervisor: Supervisor): Disposable {
  let last = running.ready();
  supervisor.tell({ firstlight: "ready", daemon, endpoints: running.endpoints, readiness: last });
  const timer = setInterval(() => {
    const now = running.ready();
    if (now.ready === last.ready && now.because === last.because) return;
    last = now;
    supervisor.tell({ firstlight: "readiness", daemon, readiness: now });
  }, 250);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function stopped(running: Running, drainMs: number, log: Logger): Promise<void> {
  await within(drainMs, running.drain()).catch((error: unknown) => {
    if (error instanceof TimedOut) log.info({ drainMs }, "cut off what was not done in time");
    else log.warn({ error }, "not drained");
  });
  await within(STOP_MS, running.stop()).catch((error: unknown) => log.warn({ error }, "not stopped cleanly"));
}

/** A rejection or exception that nobody expected is a bug: say it and die; the supervisor starts afresh. */
function crashOnBugs(log: Logger): void {
  const crash = (error: unknown): void => {
    log.fatal({ error }, "bug: nobody caught this");
    void flushed(log).finally(() => process.exit(EXIT.failed));
  };
  process.on("unhandledRejection", crash);
  process.on("uncaughtException", crash);
}

/** Until the lines written so far have left; exiting in the middle of a write puts them out of order. */
async function flushed(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  log.flush(() => resolve());
  await within(FLUSH_MS, promise).catch(() => {}); // a reader that does not read is no reason to stay
}
