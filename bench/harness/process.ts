import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { coresOf } from "./proc.ts";

const execute = promisify(execFile);
const KEEP_LINES = 2000;

/** A long-running process pinned to a core, its output in a file and with whoever waits for a line. */
export interface Pinned extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  /** The newest lines of its output. */
  readonly lines: readonly string[];
  /** The first line that matches, past ones included; rejects at the deadline or when the process ends. */
  until(pattern: RegExp, timeoutMs?: number): Promise<string>;
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

export interface Start {
  readonly core: number;
  /** Where its output is kept, as NAME.log. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

const running = new Set<number>();
process.once("exit", () => {
  for (const pid of running) end(pid);
});

/** Ends this process with the bench, however the bench ends; `forget` where it ended by itself. */
export function endWithUs(pid: number): { forget(): void } {
  running.add(pid);
  return { forget: () => void running.delete(pid) };
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGQUIT"); // postgres: at once, with its children; the others: die
  } catch {
    // gone
  }
}

/** Starts a command on one core. A fault to start it shows in `until`. */
export function startPinned(name: string, command: string, args: readonly string[], start: Start): Pinned {
  const child = spawn("taskset", ["-c", String(start.core), command, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: start.env ?? process.env,
    cwd: start.cwd ?? start.folder,
  });
  const log = createWriteStream(join(start.folder, `${name}.log`), { flags: "a" });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let [rest, hasEnded] = ["", false];
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const take = (chunk: Buffer): void => {
    log.write(chunk);
    const parts = (rest + chunk.toString("latin1")).split(/\r?\n/);
    rest = parts.pop() ?? "";
    lines.push(...parts);
    if (lines.length > KEEP_LINES) lines.splice(0, lines.length - KEEP_LINES);
    tell();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const watched = child.pid === undefined ? undefined : endWithUs(child.pid);
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      watched?.forget();
      tell();
      log.end(resolve);
    };
    child.once("close", end);
    child.once("error", end);
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM", graceMs = 10_000): Promise<void> => {
    if (hasEnded) return ended;
    child.kill(signal);
    const late = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await ended;
    clearTimeout(late);
  };
  const last = (): string => [...lines, rest].slice(-6).join(" | ");
  return {
    pid: child.pid ?? -1,
    child,
    lines,
    stop,
    async until(pattern, timeoutMs = 30_000) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const look = (): void => {
        const line = [...lines, rest].find((text) => pattern.test(text));
        if (line !== undefined) resolve(line);
        else if (hasEnded) reject(new Error(`${name} ended before ${pattern}: ${last()}`));
      };
      const late = (): void => reject(new Error(`${name}: no ${pattern} within ${timeoutMs} ms; last: ${last()}`));
      const timer = setTimeout(late, timeoutMs);
      listeners.add(look);
      look();
      return promise.finally(() => {
        clearTimeout(timer);
        listeners.delete(look);
      });
    },
    [Symbol.asyncDispose]: () => stop(),
  };
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs a command to its end on one core; its exit code is data, a timeout or a missing command is a fault. */
export async function runPinned(
  core: number,
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number; readonly cwd?: string } = {},
): Promise<Output> {
  const { timeoutMs = 120_000, cwd } = options;
  try {
    const { stdout, stderr } = await execute("taskset", ["-c", String(core), command, ...args], {
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      maxBuffer: 256 << 20,
      ...(cwd !== undefined && { cwd }),
    });
    return { stdout, stderr, code: 0 };
  } catch (fault) {
    const { code, stdout = "", stderr = "", killed } = fault as Error & Partial<Output> & { killed?: boolean };
    if (typeof code === "number" && killed !== true && code !== 127) return { stdout, stderr, code };
    const because = killed === true ? `not done within ${timeoutMs} ms` : (stderr || (fault as Error).message).trim();
    throw new Error(`${command}: ${because.slice(-600)}`, { cause: fault });
  }
}

/**
 * Moves processes that are already running, with all their threads and descendants, to one core: again until none is
 * elsewhere, for whoever was forked before its parent was moved has the parent's old cores.
 */
export async function pin(core: number, ...roots: readonly number[]): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const astray = new Set(coresOf(roots).flatMap(({ pid, cores }) => (cores === String(core) ? [] : [pid])));
    if (astray.size === 0) return;
    for (const pid of astray) {
      await execute("taskset", ["-a", "-c", "-p", String(core), String(pid)]).catch(() => {}); // ended meanwhile
    }
  }
}

const MOST_TRIES = 10;

/** Moves single threads to a core, whatever their process may use. */
export async function pinThreads(core: number, threads: readonly number[]): Promise<void> {
  for (const thread of threads) await execute("taskset", ["-c", "-p", String(core), String(thread)]).catch(() => {});
}
