import type { Logger } from "pino";
import type { z } from "zod";
import { createContext } from "./context.ts";
import { type Daemon, MissingPrerequisite, type Running } from "./daemon.ts";
import { DRAINING, type Readiness, STARTING } from "./readiness.ts";
import { faultLine } from "../config/faults.ts";
import { serveHealth } from "../http/health.ts";
import { loadSite } from "../config/load.ts";
import { createLog } from "../telemetry/log.ts";
import { exposeReadiness } from "../telemetry/metrics.ts";
import { stopRequested } from "./signals.ts";
import { parentProcess, type Supervisor } from "./supervisor.ts";
import { TimedOut, withTimeout } from "../time/timeout.ts";

export interface RunOptions {
  /** The site's file; absent: defaults and the environment only. */
  readonly file?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Only validate the configuration, then exit. */
  readonly check?: boolean | undefined;
  /** Schemas of the sections that the file may have beside the daemon's own. */
  readonly sections?: Readonly<Record<string, z.ZodType>>;
}

/** Exit codes of every daemon: stopped on request, failed, or cannot run with this configuration (a restart does not help). */
export const EXIT = { stopped: 0, failed: 1, config: 2 } as const;

const starting = (): Readiness => STARTING;
const draining = (): Readiness => DRAINING;

const STOP_MS = 5_000;
const FLUSH_MS = 3_000; // drain, stop and flush together must take less than the supervisor's timeout

/**
 * Runs a daemon from its configuration to its exit code: context, start, ready; SIGTERM, SIGINT or the exit of
 * its supervisor drain it, within `site.drainSeconds`, and stop it; a second signal ends it at once. Returns one of `EXIT`, with
 * which the caller exits.
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
  const stop = stopRequested(process, supervisor);
  await using owned = await createContext(daemon, loaded.site, loaded.sections, log);
  let readiness: () => Readiness = starting;
  exposeReadiness(owned.context.metrics, () => readiness());
  try {
    await using _health = await healthServer(daemon, owned.context.config, owned.context.metrics, () => readiness());
    const started = daemon.start(owned.context);
    const running = await Promise.race([started, stop.then(() => withTimeout(Math.max(drainMs, STOP_MS), started))]);
    readiness = () => running.ready();
    log.info({ endpoints: running.endpoints }, "started");
    using _reports = reportReadiness(daemon.name, running, supervisor);
    const because = await stop;
    readiness = draining;
    log.info({ because }, "stopping");
    await drainAndStop(running, drainMs, log);
    return EXIT.stopped;
  } catch (error) {
    log.fatal({ error }, "could not run");
    return error instanceof MissingPrerequisite ? EXIT.config : EXIT.failed;
  } finally {
    await flushLog(log);
  }
}

/** Serves health at the section's setting `health`, where it has one. */
async function healthServer(
  daemon: Daemon,
  config: unknown,
  metrics: Parameters<typeof serveHealth>[0]["metrics"],
  readiness: () => Readiness,
) {
  const at = (config as { health?: unknown } | undefined)?.health;
  return typeof at === "string" ? serveHealth({ at, daemon: daemon.name, metrics, readiness }) : undefined;
}

/** Reports to the supervisor that the daemon runs, then each change of its readiness. */
function reportReadiness(daemon: string, running: Running, supervisor: Supervisor): Disposable {
  let last = running.ready();
  supervisor.report({ firstlight: "ready", daemon, endpoints: running.endpoints, readiness: last });
  const timer = setInterval(() => {
    const now = running.ready();
    if (now.ready === last.ready && now.because === last.because && now.detail === last.detail) return;
    last = now;
    supervisor.report({ firstlight: "readiness", daemon, readiness: now });
  }, 250);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function drainAndStop(running: Running, drainMs: number, log: Logger): Promise<void> {
  await withTimeout(drainMs, running.drain()).catch((error: unknown) => {
    if (error instanceof TimedOut) log.info({ drainMs }, "drain timed out; unfinished work is cut off");
    else log.warn({ error }, "drain failed");
  });
  await withTimeout(STOP_MS, running.stop()).catch((error: unknown) => log.warn({ error }, "stop failed"));
}

/** An unhandled rejection or exception is a bug: log it and exit; the supervisor restarts the daemon. */
function crashOnBugs(log: Logger): void {
  const crash = (error: unknown): void => {
    log.fatal({ error }, "bug: uncaught error");
    void flushLog(log).finally(() => process.exit(EXIT.failed));
  };
  process.on("unhandledRejection", crash);
  process.on("uncaughtException", crash);
}

/** Waits until the lines logged so far are written; exiting during a write puts them out of order. */
async function flushLog(log: Logger): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  log.flush(() => resolve());
  await withTimeout(FLUSH_MS, promise).catch(() => {}); // do not wait longer for a reader that has stalled
}
