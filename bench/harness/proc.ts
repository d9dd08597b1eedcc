/** Reads /proc: the tree of processes, their CPU time, memory and cores, and the CPU time of the whole machine. */
import { readdirSync, readFileSync } from "node:fs";

const TICKS = 100; // USER_HZ, the same on every Linux that Node runs on
const PAGE_KB = 4;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of user and system time, including children that ended and were waited for. */
  readonly seconds: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

function statOf(pid: number): Stat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields
    .slice(11, 15)
    .map((field) => Number(field) / TICKS);
  const [userSeconds, systemSeconds] = [user + childUser, system + childSystem];
  return { pid, parent: Number(fields[1]), seconds: userSeconds + systemSeconds, userSeconds, systemSeconds };
}

/** The processes and all their descendants. */
export function processTree(roots: readonly number[]): Stat[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const members = new Set(roots);
  for (let hasGrown = true; hasGrown;) {
    hasGrown = false;
    for (const { pid, parent } of all) {
      if (members.has(pid) || !members.has(parent)) continue;
      members.add(pid);
      hasGrown = true;
    }
  }
  return all.filter(({ pid }) => members.has(pid));
}

/** CPU time in seconds of the processes and their descendants, including descendants that ended. */
export function cpuSeconds(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** User and system time in seconds, by the name of the program: `dhcpd`, `PostgreSQL`, `other`. */
export function cpuByName(roots: readonly number[]): Map<string, { user: number; system: number }> {
  const sums = new Map<string, { user: number; system: number }>();
  for (const { pid, userSeconds, systemSeconds } of processTree(roots)) {
    const name = nameOf(read(`/proc/${pid}/cmdline`) ?? "");
    const sum = sums.get(name) ?? { user: 0, system: 0 };
    sums.set(name, { user: sum.user + userSeconds, system: sum.system + systemSeconds });
  }
  return sums;
}

function nameOf(commandLine: string): string {
  if (commandLine.includes("postgres")) return "PostgreSQL";
  return /^firstlight ([\w-]+)/.exec(commandLine)?.[1] ?? /([\w-]+)\.ts\0/.exec(commandLine)?.[1] ?? "other";
}

/** The cores that each thread of the processes and their descendants may use, as the kernel writes them: `0`, `0-1`. */
export function coresOf(roots: readonly number[]): { readonly pid: number; readonly cores: string }[] {
  return processTree(roots).flatMap(({ pid }) =>
    threads(pid).flatMap((thread) => {
      const cores = /^Cpus_allowed_list:\s+(\S+)/m.exec(read(`/proc/${pid}/task/${thread}/status`) ?? "")?.[1];
      return cores === undefined ? [] : [{ pid, cores }];
    }),
  );
}

/** Ids of the threads with this name, in the processes and their descendants. The kernel keeps fifteen letters of a name. */
export function threadsNamed(name: string, roots: readonly number[]): number[] {
  return processTree(roots).flatMap(({ pid }) =>
    threads(pid).flatMap((thread) =>
      read(`/proc/${pid}/task/${thread}/comm`)?.trim() === name ? [Number(thread)] : [],
    ),
  );
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended
  }
}

/** Memory in bytes (PSS: a shared page is divided among its users) of the processes and their descendants. */
export function memoryBytes(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, { pid }) => sum + pssKb(pid) * 1024, 0);
}

function pssKb(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1];
  return pss === undefined ? Number(read(`/proc/${pid}/statm`)?.split(" ")[1] ?? 0) * PAGE_KB : Number(pss);
}

/** CPU time in seconds of the whole machine: user, nice, system, and time that the host took away (steal). */
export function busySeconds(): number {
  const [user, nice, system, , , , , steal] = (read("/proc/stat") ?? "")
    .split("\n")[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (steal ?? 0)) / TICKS;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return undefined; // it has ended, or must not be read
  }
}
