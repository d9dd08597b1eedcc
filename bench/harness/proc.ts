/** What the kernel says of processes: who belongs to whom, their CPU time and memory, and what everybody used. */
import { readdirSync, readFileSync } from "node:fs";

const TICKS = 100; // USER_HZ, the same on every Linux that Node runs on
const PAGE_KB = 4;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  /** Seconds of user and system time, of children that ended included: nothing is lost when a child goes. */
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

/** The processes and all that descend from them. */
export function tree(roots: readonly number[]): Stat[] {
  const all = readdirSync("/proc").flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []));
  const wanted = new Set(roots);
  for (let grew = true; grew;) {
    grew = false;
    for (const { pid, parent } of all) {
      if (wanted.has(pid) || !wanted.has(parent)) continue;
      wanted.add(pid);
      grew = true;
    }
  }
  return all.filter(({ pid }) => wanted.has(pid));
}

/** Seconds of CPU that the processes, their descendants and those that ended have used. */
export function cpuSeconds(roots: readonly number[]): number {
  return tree(roots).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Seconds of user and of system time by what a process is: `dhcpd`, `PostgreSQL`. */
export function cpuByName(roots: readonly number[]): Map<string, { user: number; system: number }> {
  const sums = new Map<string, { user: number; system: number }>();
  for (const { pid, userSeconds, systemSeconds } of tree(roots)) {
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

/** On which cores every thread of the processes and their descendants may run, as the kernel writes it: `0`, `0-1`. */
export function coresOf(roots: readonly number[]): { readonly pid: number; readonly cores: string }[] {
  return tree(roots).flatMap(({ pid }) =>
    threads(pid).flatMap((thread) => {
      const cores = /^Cpus_allowed_list:\s+(\S+)/m.exec(read(`/proc/${pid}/task/${thread}/status`) ?? "")?.[1];
      return cores === undefined ? [] : [{ pid, cores }];
    }),
  );
}

/** Threads of the processes and their descendants that are called so: the first fifteen letters, as the kernel keeps them. */
export function threadsCalled(name: string, roots: readonly number[]): number[] {
  return tree(roots).flatMap(({ pid }) =>
    threads(pid).flatMap((thread) =>
      read(`/proc/${pid}/task/${thread}/comm`)?.trim() === name ? [Number(thread)] : [],
    ),
  );
}

function threads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // gone
  }
}

/** Memory of the processes and their descendants, each shared page divided among those that share it (PSS). */
export function memoryBytes(roots: readonly number[]): number {
  return tree(roots).reduce((sum, { pid }) => sum + pssKb(pid) * 1024, 0);
}

function pssKb(pid: number): number {
  const pss = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1];
  return pss === undefined ? Number(read(`/proc/${pid}/statm`)?.split(" ")[1] ?? 0) * PAGE_KB : Number(pss);
}

/** Seconds of CPU that anybody used on this machine: user, nice, system, and what the host took away (steal). */
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
    return undefined; // gone, or not ours to read
  }
}
