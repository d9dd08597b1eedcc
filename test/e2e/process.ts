import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** Runs a command to its end and returns its standard output. Rejects with its error output when it fails. */
export async function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; timeoutMs?: number } = {},
): Promise<string> {
  const { cwd, timeoutMs = 120_000 } = options;
  try {
    const { stdout } = await execute(command, [...args], {
      timeout: timeoutMs,
      maxBuffer: 64 << 20,
      ...(cwd ? { cwd } : {}),
    });
    return stdout;
  } catch (fault) {
    const { stderr = "", stdout = "", message } = fault as { stderr?: string; stdout?: string; message: string };
    throw new Error(`${command} ${args.join(" ")}: ${(stderr || stdout || message).trim().slice(-600)}`, {
      cause: fault,
    });
  }
}

/** Like `run`, but returns `undefined` when the command fails. */
export async function attempt(
  command: string,
  args: readonly string[],
  timeoutMs = 30_000,
): Promise<string | undefined> {
  return run(command, args, { timeoutMs }).catch(() => undefined);
}

/** A long-running process. Its output is kept in a file and can be waited for. */
export interface RunningProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  /** Resolves with the first matching line of output, also an earlier one, after the first `after` lines. Rejects at the deadline, or when the process ends. */
  untilLine(pattern: RegExp, timeoutMs: number, after?: number): Promise<string>;
  /** Sends `signal` (default SIGTERM), and SIGKILL after `graceMs`. Resolves once the process has ended. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<void>;
}

/** Starts a command; `logFile` gets its output. Where it cannot be started, `untilLine` rejects. */
export function start(
  name: string,
  command: string,
  args: readonly string[],
  logFile: string,
  env: NodeJS.ProcessEnv = process.env,
): RunningProcess {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  const log = createWriteStream(logFile, { flags: "a" });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  let [rest, ended] = ["", false];
  const receive = (chunk: Buffer): void => {
    log.write(chunk);
    const parts = (rest + chunk.toString("latin1")).split(/\r?\n/);
    rest = parts.pop() ?? "";
    lines.push(...parts);
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", receive);
  child.stderr.on("data", receive);
  const closed = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true;
      for (const listener of listeners) listener();
      log.end(resolve);
    };
    child.once("close", end);
    child.once("error", end);
  });
  const stop = async (signal: NodeJS.Signals = "SIGTERM", graceMs = 15_000): Promise<void> => {
    if (ended) return closed;
    child.kill(signal);
    const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
    await closed;
    clearTimeout(timer);
  };
  return {
    child,
    lines,
    stop,
    untilLine: (pattern, timeoutMs, after = 0) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          listeners.delete(check);
          act();
        };
        const check = (): void => {
          const line = [...lines.slice(after), rest].find((text) => pattern.test(text));
          if (line !== undefined) settle(() => resolve(line));
          else if (ended)
            settle(() => reject(new Error(`${name} ended before ${pattern}: ${lines.slice(-4).join(" | ")}`)));
        };
        const timer = setTimeout(
          () =>
            settle(() =>
              reject(
                new Error(`${name}: no ${pattern} within ${timeoutMs / 1000} s; last: ${lines.slice(-3).join(" | ")}`),
              ),
            ),
          timeoutMs,
        );
        listeners.add(check);
        check();
      }),
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
