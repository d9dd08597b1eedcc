import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { isReport, NOT_RUNNING, type Readiness } from "@firstlight/service";
import type { LogFile } from "./logfile.ts";
import { IDLE, step, type Child, type Effect, type Event } from "./supervise.ts";

export interface ProcessOptions {
  readonly name: string;
  /** What follows the Node binary: the program and its arguments. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: LogFile;
  /** A daemon that has exited and waits for its restart. */
  readonly onRest: (because: string, ms: number) => void;
}

/** A daemon as a child process under the restart policy. */
export interface Supervised {
  readonly name: string;
  readonly pid: number | undefined;
  /** When its first process was started, in milliseconds since the epoch. */
  readonly spawnedAt: number;
  /** Its last readiness over IPC; not ready while it is down. */
  readiness(): Readiness;
  endpoints(): Readonly<Record<string, string>>;
  /** Settles with the reason when the policy gives it up. */
  readonly givenUp: Promise<string>;
  /** Resolves at its first report that it runs; rejects with `GivenUp` if it fails or takes too long. */
  started(timeoutMs: number): Promise<void>;
  /** Resolves when it reports that it is ready. */
  ready(timeoutMs: number): Promise<void>;
  /** Sends SIGTERM, and SIGKILL after a time limit; resolves when the process has ended. */
  stop(): Promise<void>;
}

/** A daemon that does not start, or has exited too often. */
export class GivenUp extends Error {
  readonly code = "FL_GIVEN_UP";
  readonly daemon: string;

  constructor(daemon: string, because: string) {
    super(`${daemon}: ${because}`);
    this.daemon = daemon;
  }
}

export function startProcess(options: ProcessOptions): Supervised {
  let child: Child = IDLE;
  let running: ChildProcess | undefined;
  let readiness: Readiness = NOT_RUNNING;
  let endpoints: Readonly<Record<string, string>> = {};
  let reported = false;
  let timer: NodeJS.Timeout | undefined;
  const givenUp = Promise.withResolvers<string>();
  const changed = new Set<() => void>();

  const happen = (event: Event): void => {
    const [next, effects] = step(child, event, Date.now(), Math.random());
    child = next;
    for (const effect of effects) perform(effect);
    clearTimeout(timer);
    if (Number.isFinite(child.wakeAt))
      timer = setTimeout(() => happen({ is: "tick" }), Math.max(0, child.wakeAt - Date.now()));
    for (const wake of changed) wake();
  };
  const perform = (effect: Effect): void => {
    switch (effect.do) {
      case "spawn":
        running = launch(options, (exit) => {
          readiness = NOT_RUNNING;
          happen({ is: "exit", ...exit });
        });
        running.on("message", (message) => {
          if (!isReport(message)) return;
          readiness = message.readiness;
          reported = true;
          if (message.firstlight === "ready") endpoints = message.endpoints;
          happen({ is: "ready" });
        });
        return;
      case "kill":
        running?.kill(effect.signal);
        return;
      case "rest":
        return options.onRest(effect.because, effect.ms);
      case "give-up":
        return givenUp.resolve(effect.because);
    }
  };
  const until = (met: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        if (!met()) return;
        changed.delete(wake);
        resolve();
      };
      changed.add(wake);
      wake();
    });

  const within = async (met: () => boolean, timeoutMs: number): Promise<void> => {
    const late = Promise.withResolvers<never>();
    const failed = givenUp.promise.then((because) => Promise.reject(new GivenUp(options.name, because)));
    const timeout = setTimeout(() => {
      const because = `not ready within ${timeoutMs / 1000} s: ${readiness.detail ?? "no reason given"}`;
      late.reject(new GivenUp(options.name, because));
    }, timeoutMs);
    await Promise.race([until(met), late.promise, failed]).finally(() => clearTimeout(timeout));
  };

  const spawnedAt = Date.now();
  happen({ is: "start" });
  return {
    name: options.name,
    spawnedAt,
    get pid() {
      return running?.pid;
    },
    readiness: () => readiness,
    endpoints: () => endpoints,
    givenUp: givenUp.promise,
    started: (timeoutMs) => within(() => reported, timeoutMs),
    ready: (timeoutMs) => within(() => readiness.ready, timeoutMs),
    stop: async () => {
      happen({ is: "stop" });
      await until(() => child.is === "gone" || child.is === "given-up");
    },
  };
}

/** In its own session, so that Ctrl-C reaches only the supervisor, which stops daemons in order. */
export function launch(
  { args, env, log }: Pick<ProcessOptions, "args" | "env" | "log">,
  exited: (exit: { code: number | null; signal: NodeJS.Signals | null }) => void,
): ChildProcess {
  const child = spawn(process.execPath, [...args], { env, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null)
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => log.write(line));
  }
  let told = false;
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    if (!told) exited({ code, signal });
    told = true;
  };
  child.once("exit", end);
  child.once("error", () => end(127, null));
  return child;
}
