import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { runPinned } from "../harness/process.ts";
import { tree } from "../harness/proc.ts";

const HERTZ = 199;
const LEAST_PERCENT = 1;

/** What lies below JavaScript: who spends its time in the kernel, in compiled code, in PostgreSQL, as `perf` sees it. */
export interface Native {
  /** `41.2 %  dhcpd: kernel`, the most first; a line that says why not where there is no perf. */
  lines(): Promise<readonly string[]>;
}

/** Watches these processes, as they are now, until its lines are asked for. */
export async function watchNative(roots: readonly number[], file: string, core: number): Promise<Native> {
  const { perf, ended } = await record(roots, file);
  return {
    async lines() {
      perf.kill("SIGINT");
      await ended;
      const args = ["report", "-i", file, "--stdio", "--no-children", "--sort", "comm,dso", "-t", "|"];
      const { stdout } = await runPinned(core, "perf", args).catch(() => ({ stdout: "" }));
      const lines = linesOf(stdout);
      return lines.length > 0 ? lines : ["perf (Debian: linux-perf) says nothing here"];
    },
  };
}

/** perf refuses a list in which one has ended meanwhile, as a process of PostgreSQL may: asked again a few times. */
async function record(
  roots: readonly number[],
  file: string,
  tries = 5,
): Promise<{ perf: ChildProcess; ended: Promise<unknown> }> {
  const pids = tree(roots).map(({ pid }) => pid);
  const perf = spawn("perf", ["record", "-q", "-F", String(HERTZ), "-p", pids.join(","), "-o", file], {
    stdio: "ignore",
  });
  const ended = once(perf, "exit").catch((fault: Error) => fault);
  const isOver = await Promise.race([ended.then(() => true), delay(300, false)]);
  return isOver && tries > 1 ? record(roots, file, tries - 1) : { perf, ended };
}

/** A report's rows, `41.20%|firstlight: dnsd|[kernel.kallsyms]`, added up by thread and by where the time was. */
export function linesOf(report: string): string[] {
  const sums = new Map<string, number>();
  for (const [, percent, thread, where] of report.matchAll(/^ *([\d.]+)% *\|([^|\n]+)\|([^|\n]+)$/gm)) {
    const name = thread!.startsWith("v8:Prof") ? "the profiler itself" : `${thread!.trim()}, ${placeOf(where!.trim())}`;
    sums.set(name, (sums.get(name) ?? 0) + Number(percent));
  }
  return [...sums]
    .filter(([, percent]) => percent >= LEAST_PERCENT)
    .toSorted((a, b) => b[1] - a[1])
    .map(([name, percent]) => `${percent.toFixed(1).padStart(5)} %  ${name}`);
}

/** The kernel's own images, code that V8 made, and programs and libraries by their name. */
function placeOf(where: string): string {
  if (where.startsWith("[JIT]") || /^perf-\d+\.map|\[anon|^\/\/anon/.test(where)) return "compiled JavaScript";
  return where.startsWith("[kernel") || where.startsWith("[guest.kernel") ? "kernel" : where;
}
