import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What a running server wrote about itself (`postmaster.pid`). */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** `starting`, `ready`, `stopping`. */
  readonly status: string;
}

export function postmaster(data: string): Postmaster | undefined {
  const lines = read(join(data, "postmaster.pid"))?.split("\n");
  const pid = Number.parseInt(lines?.[0] ?? "", 10);
  if (!lines || !(pid > 0)) return undefined;
  return { pid, port: Number(lines[3]), status: (lines[7] ?? "starting").trim() };
}

/**
 * Claims the folder for this process; an error names the running process that has it. A claim names its process by pid and
 * start time, because pids are reused. Returns a function that releases the claim.
 */
export function claim(dir: string): () => void {
  const file = join(dir, "owner");
  const mine = `${process.pid} ${startOf(process.pid)}\n`;
  const draft = `${file}.${process.pid}`;
  for (let attempt = 0; ; attempt++) {
    writeFileSync(draft, mine, { mode: 0o600 });
    try {
      linkSync(draft, file); // exclusive and complete in one step
      return () => rmSync(file, { force: true });
    } catch (error) {
      const [pid, start] = (read(file) ?? "").trim().split(" ");
      if (pid && start && startOf(Number(pid)) === start) {
        throw new Error(`${dir} is in use by process ${pid}: stop it first, or use another state folder`, {
          cause: error,
        });
      }
      if (attempt > 3) throw error;
      rmSync(file, { force: true });
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

/** Stops a server whose parent was killed (no acknowledged commit is lost), and removes the files of one that has crashed. */
export async function stopLeftover(
  data: string,
  withinMs: number,
  log: (fields: Readonly<Record<string, unknown>>, text: string) => void,
): Promise<void> {
  const left = postmaster(data);
  if (!left) return;
  if (serves(left.pid, data)) {
    log({ pid: left.pid }, "postgres was left behind by a killed process; stopping it");
    for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
      kill(left.pid, signal);
      for (let waited = 0; waited < withinMs && serves(left.pid, data); waited += 25) await sleep(25);
    }
    if (serves(left.pid, data)) throw new Error(`postgres ${left.pid} of ${data} does not stop`);
  }
  // A pid file whose process is not this server (it crashed, the machine restarted) would make postgres refuse to start.
  rmSync(join(data, "postmaster.pid"), { force: true });
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended in the meantime
  }
}

/** Whether this process is a postgres on this very folder, and alive. */
function serves(pid: number, data: string): boolean {
  const words = read(`/proc/${pid}/cmdline`)?.split("\0") ?? [];
  return /(^|\/)postgres$/.test(words[0] ?? "") && words.includes(data);
}

/** When the process started, in clock ticks since boot, or undefined when there is none (proc(5), field 22 of stat). */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
