import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { coresOf } from "./proc.ts";

const execute = promisify(execFile);
const KEEP_LINES = 2000;
const MAX_TRIES = 10;

/** A long-running process that is pinned to a core. Its output is kept in a file and can be waited for. */
export interface PinnedProcess extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  /** The newest lines of its output. */
  readonly lines: readonly string[];
  /** Resolves with the first matching line of output, also an earlier one. Rejects at the deadline, or when the process ends. */
  untilLine(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** Sends `signal` (default SIGTERM), and SIGKILL after `graceMs`. Resolves once the process has ended. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

/** How a process is started. */
export interface StartOptions {
  readonly core: number;
  /** Where its output is kept, as NAME.log. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

const running = new Set<number>();
process.once("exit", () => {
  for (const pid of running) quit(pid);
});

/** Ends this process when the bench exits, however it exits. Call `release` once the process has ended by itself. */
export function killOnExit(pid: number): { release(): void } {
  running.add(pid);
  return { release: () => void running.delete(pid) };
}

function quit(pid: number): void {
  try {
    process.kill(pid, "SIGQUIT"); // PostgreSQL stops at once with its children; other programs end
  } catch {
    // it has ended
  }
}

/** Starts a command on one core. Where it cannot be started, `untilLine` rejects. */
export function startPinned(
  name: string,
  command: string,
  args: readonly string[],
  start: StartOptions,
): PinnedProcess {
  const child = spawn("taskset", ["-c", String(start.core), command, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: start.env ?? process.env,
    cwd: start.cwd ?? start.folder,
  });
  const log = createWriteStream(join(start.folder, `${name}.log`), { flags: "a" });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let [rest, hasEnded] = ["", false];
  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  const receive = (chunk: Buffer): void => {
    log.write(chunk);
    const parts = (rest + chunk.toString("latin1")).split(/\r?\n/);
    rest = parts.pop() ?? "";
    lines.push(...parts);
    if (lines.length > KEEP_LINES) lines.splice(0, lines.length - KEEP_LINES);
    notify();
  };
  child.stdout.on("data", receive);
  child.stderr.on("data", receive);
  const guard = child.pid === undefined ? undefined : killOnExit(child.pid);
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      guard?.release();
      notify();
      log.end(resolve);
    };
    child.once("close", end);
    child.once("error", end);
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM", graceMs = 10_000): Promise<void> => {
    if (hasEnded) return ended;
    child.kill(signal);
    const killTimer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await ended;
    clearTimeout(killTimer);
  };
  const lastLines = (): string => [...lines, rest].slice(-6).join(" | ");
  return {
    pid: child.pid ?? -1,
    child,
    lines,
    stop,
    async untilLine(pattern, timeoutMs = 30_000) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const check = (): void => {
        const line = [...lines, rest].find((text) => pattern.test(text));
        if (line !== undefined) resolve(line);
        else if (hasEnded) reject(new Error(`${name} ended before ${pattern}: ${lastLines()}`));
      };
      const expire = (): void =>
        reject(new Error(`${name}: no ${pattern} within ${timeoutMs} ms; last: ${lastLines()}`));
      const timer = setTimeout(expire, timeoutMs);
      listeners.add(check);
      check();
      return promise.finally(() => {
        clearTimeout(timer);
        listeners.delete(check);
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

/** Runs a command to its end on one core and returns its exit code. Throws where it times out or cannot be started. */
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
 * Moves running processes, with all their threads and descendants, to one core. This is repeated until none is elsewhere: a
 * process that was forked before its parent was moved has the parent's old cores.
 */
export async function pin(core: number, ...roots: readonly number[]): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const elsewhere = new Set(coresOf(roots).flatMap(({ pid, cores }) => (cores === String(core) ? [] : [pid])));
    if (elsewhere.size === 0) return;
    for (const pid of elsewhere) {
      await execute("taskset", ["-a", "-c", "-p", String(core), String(pid)]).catch(() => {}); // ended meanwhile
    }
  }
}

/** Moves single threads to a core; the other threads of their process stay where they are. */
export async function pinThreads(core: number, threads: readonly number[]): Promise<void> {
  for (const thread of threads) await execute("taskset", ["-c", "-p", String(core), String(thread)]).catch(() => {});
}
