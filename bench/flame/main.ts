/** `npm run bench -- flame DAEMON`: profiles the daemon under the load of its bench and draws a flame graph into `docs/flame`. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Bench, Placement } from "../harness/contract.ts";
import { installPackages } from "../harness/packages.ts";
import { cpuByName, threadsNamed } from "../harness/proc.ts";
import { pin, pinThreads } from "../harness/process.ts";
import { loadBench } from "../harness/run-bench.ts";
import { PROFILED_DAEMONS } from "./daemons.ts";
import { startPerf } from "./perf.ts";
import { fold, type Frame, type Profile, type Window } from "./profile.ts";
import { labelOf, originOf, selfBy } from "./origin.ts";
import { svgOf } from "./svg.ts";

const GRAPHS = resolve(import.meta.dirname, "../../docs/flame");
const TOP = 20;

/** Writes `docs/flame/DAEMON.svg` and prints where the time went. */
export async function flame(daemon: string, print: (line: string) => void): Promise<void> {
  const { bench: name, variant } = PROFILED_DAEMONS[daemon]!;
  const bench = await loadBench(name);
  await installPackages(bench.packages, print);
  await pin(1, process.pid);
  const folder = await mkdtemp(join(tmpdir(), `firstlight-flame-${daemon}-`));
  const placement: Placement = { folder, core: 0, loadCore: 1, profiles: join(folder, "profiles") };
  try {
    const { window, cpu } = await underLoad(bench, placement, variant, print);
    const root = await profilesOf(join(folder, "profiles", daemon), window);
    const [busy, used] = [root.totalUs / 1e6, cpu.get(daemon) ?? 0].map((seconds) => seconds.toFixed(1));
    const load = variant === undefined ? name : `${name}, ${variant}`;
    const title = `${daemon} under load (bench ${load}): ${busy} s not idle, ${used} s of CPU`;
    await mkdir(GRAPHS, { recursive: true });
    await writeFile(join(GRAPHS, `${daemon}.svg`), svgOf(root, title));
    print(`docs/flame/${daemon}.svg: ${title}`);
    table(print, "by origin", selfBy(root, originOf), root.totalUs);
    table(print, "by function, own time", selfBy(root, labelOf).slice(0, TOP), root.totalUs);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Runs the load. Returns when it ran, and the CPU seconds of each process; prints them with user and system time apart. */
async function underLoad(
  bench: Bench,
  placement: Placement,
  variant: string | undefined,
  print: (line: string) => void,
): Promise<{ readonly window: Window; readonly cpu: ReadonlyMap<string, number> }> {
  const ours = bench.contenders.find(({ peer }) => peer === undefined)!;
  await using server = await ours.start(placement);
  // On the daemon's core, V8's sampling thread would run only while the daemon is idle.
  await pinThreads(placement.loadCore, threadsNamed("v8:ProfEvntProc", server.pids()));
  const before = cpuByName(server.pids());
  const perf = await startPerf(server.pids(), join(placement.folder, "perf.data"), placement.loadCore);
  const fromUs = nowUs();
  const { operations, seconds } = await bench.load(server, ours, placement, variant);
  const window = { fromUs, toUs: nowUs() };
  print(`${Math.round(operations / seconds)}/s`);
  for (const line of await perf.lines()) print(`  ${line}`);
  const cpu = new Map<string, number>();
  for (const [name, after] of cpuByName(server.pids())) {
    const { user, system } = before.get(name) ?? { user: 0, system: 0 };
    print(`${name}: ${(after.user - user).toFixed(1)} s user, ${(after.system - system).toFixed(1)} s system`);
    cpu.set(name, after.user - user + after.system - system);
  }
  return { window, cpu };
}

const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);

/** One call tree of all threads of the daemon; each thread writes its own profile. */
async function profilesOf(folder: string, window: Window): Promise<Frame> {
  let root: Frame | undefined;
  for (const file of await readdir(folder))
    root = fold(JSON.parse(await readFile(join(folder, file), "utf8")) as Profile, window, root);
  if (root === undefined || root.totalUs === 0) throw new Error(`no samples of the load in ${folder}`);
  return root;
}

function table(
  print: (line: string) => void,
  title: string,
  rows: readonly (readonly [string, number])[],
  wholeUs: number,
): void {
  print(title);
  for (const [name, us] of rows) print(`  ${((100 * us) / wholeUs).toFixed(1).padStart(5)} %  ${name}`);
}
