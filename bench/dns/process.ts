import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A server of ours or a peer's, pinned to one core, its words in a file. */
export interface Pinned extends AsyncDisposable {
  readonly pid: number;
  /** Why it is gone, or undefined while it runs. */
  gone(): string | undefined;
}

const STOP_MS = 10_000;

export function startPinned(
  core: number,
  command: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): Pinned {
  const logFile = join(folder, "output.log");
  const output = openSync(logFile, "w");
  const child = spawn("taskset", ["-c", `${core}`, ...command], {
    cwd: folder,
    env,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.on("error", () => {}); // reported by `gone`
  const gone = (): string | undefined => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) return undefined;
    const said = readFileSync(logFile, "utf8").trim().split("\n").slice(-5).join(" | ");
    return `${command[0]} ended (${child.exitCode ?? child.signalCode}): ${said}`;
  };
  return { pid: child.pid ?? 0, gone, [Symbol.asyncDispose]: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await exit;
  clearTimeout(late);
}

/** A process and all that descend from it (proc(5), field 4 of stat). */
export function family(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(entry);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const found = [root];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined; // gone meanwhile
  }
}
