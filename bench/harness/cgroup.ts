/**
 * CPU time of a control group. It includes processes that ended without being waited for, whose time no parent inherits.
 * Both versions of control groups; Linux only, as root.
 */
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Where groups are created, the file with their CPU time, and how that file is parsed. */
const HIERARCHIES: readonly (readonly [folder: string, file: string, seconds: (text: string) => number])[] = [
  ["/sys/fs/cgroup/cpuacct", "cpuacct.usage", (text) => Number(text) / 1e9],
  ["/sys/fs/cgroup", "cpu.stat", (text) => Number(/usage_usec (\d+)/.exec(text)?.[1]) / 1e6],
];

export interface CpuGroup extends Disposable {
  /** File `cgroup.procs`: a process whose id is written there is counted, with all processes that it starts. */
  readonly members: string;
  /** CPU time of the group since it was opened. */
  cpuSeconds(): number;
}

/** Creates an empty control group; `undefined` where the kernel does not allow it. */
export function openCpuGroup(name: string): CpuGroup | undefined {
  for (const [folder, file, secondsIn] of HIERARCHIES) {
    const group = join(folder, name);
    const cpuSeconds = (): number => secondsIn(readFileSync(join(group, file), "utf8"));
    try {
      mkdirSync(group);
      const before = cpuSeconds();
      if (!Number.isFinite(before)) throw new Error("this hierarchy has no CPU time");
      return {
        members: join(group, "cgroup.procs"),
        cpuSeconds: () => cpuSeconds() - before,
        [Symbol.dispose]: () => remove(group),
      };
    } catch {
      remove(group);
    }
  }
  return undefined;
}

function remove(group: string): void {
  try {
    rmdirSync(group);
  } catch {
    // it was never created, or a process is still ending in it: an empty group costs nothing
  }
}
