import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { runPinned } from "../harness/process.ts";
import { processTree } from "../harness/proc.ts";

const HERTZ = 199;
const MIN_PERCENT = 1;

/** A running `perf record`: where the time goes below JavaScript, for example in the kernel or in PostgreSQL. */
export interface PerfRecording {
  /** Stops it. Lines `41.2 %  dhcpd, kernel`, highest first; without perf one line with the reason. */
  lines(): Promise<readonly string[]>;
}

/** Starts `perf record` on these processes and their present descendants. `file` gets the samples. */
export async function startPerf(roots: readonly number[], file: string, core: number): Promise<PerfRecording> {
  const { perf, ended } = await record(roots, file);
  return {
    async lines() {
      perf.kill("SIGINT");
      await ended;
      const args = ["report", "-i", file, "--stdio", "--no-children", "--sort", "comm,dso", "-t", "|"];
      const { stdout } = await runPinned(core, "perf", args).catch(() => ({ stdout: "" }));
      const lines = linesOf(stdout);
      return lines.length > 0 ? lines : ["no data from perf (Debian package linux-perf)"];
    },
  };
}

/** perf exits at once where one of the processes has ended, as a PostgreSQL backend may. It is then started again, up to `tries` times. */
async function record(
  roots: readonly number[],
  file: string,
  tries = 5,
): Promise<{ perf: ChildProcess; ended: Promise<unknown> }> {
  const pids = processTree(roots).map(({ pid }) => pid);
  const perf = spawn("perf", ["record", "-q", "-F", String(HERTZ), "-p", pids.join(","), "-o", file], {
    stdio: "ignore",
  });
  const ended = once(perf, "exit").catch((fault: Error) => fault);
  const hasEnded = await Promise.race([ended.then(() => true), delay(300, false)]);
  return hasEnded && tries > 1 ? record(roots, file, tries - 1) : { perf, ended };
}

/** The rows of a report (`41.20%|firstlight: dnsd|[kernel.kallsyms]`), added up by thread and by object. */
export function linesOf(report: string): string[] {
  const sums = new Map<string, number>();
  for (const [, percent, thread, object] of report.matchAll(/^ *([\d.]+)% *\|([^|\n]+)\|([^|\n]+)$/gm)) {
    const name = thread!.startsWith("v8:Prof")
      ? "the profiler itself"
      : `${thread!.trim()}, ${objectOf(object!.trim())}`;
    sums.set(name, (sums.get(name) ?? 0) + Number(percent));
  }
  return [...sums]
    .filter(([, percent]) => percent >= MIN_PERCENT)
    .toSorted((a, b) => b[1] - a[1])
    .map(([name, percent]) => `${percent.toFixed(1).padStart(5)} %  ${name}`);
}

/** `kernel`, `compiled JavaScript`, or the name of a program or library. */
function objectOf(object: string): string {
  if (object.startsWith("[JIT]") || /^perf-\d+\.map|\[anon|^\/\/anon/.test(object)) return "compiled JavaScript";
  return object.startsWith("[kernel") || object.startsWith("[guest.kernel") ? "kernel" : object;
}
