/**
 * CPU time of servers whose processes end without being waited for: nobody inherits their time, but the kernel counts a
 * control group, whoever ends in it. Both versions of control groups; Linux alone, as root.
 */
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Where groups are made, the file that tells their CPU time, and how it is read. */
const HIERARCHIES: readonly (readonly [folder: string, file: string, seconds: (text: string) => number])[] = [
  ["/sys/fs/cgroup/cpuacct", "cpuacct.usage", (text) => Number(text) / 1e9],
  ["/sys/fs/cgroup", "cpu.stat", (text) => Number(/usage_usec (\d+)/.exec(text)?.[1]) / 1e6],
];

export interface Account extends Disposable {
  /** Whoever writes its process id in here is counted, with all that it starts. */
  readonly members: string;
  cpuSeconds(): number;
}

/** An account of that name, from nothing; undefined where the kernel keeps none for us. */
export function openAccount(name: string): Account | undefined {
  for (const [folder, file, secondsIn] of HIERARCHIES) {
    const group = join(folder, name);
    const cpuSeconds = (): number => secondsIn(readFileSync(join(group, file), "utf8"));
    try {
      mkdirSync(group);
      const before = cpuSeconds();
      if (!Number.isFinite(before)) throw new Error("no CPU time is told here");
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
    // never made, or a last process is still ending in it: an empty group costs nothing
  }
}
