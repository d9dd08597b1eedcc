/** `npm run bench -- flame DAEMON`: the daemon under the load of its bench, its CPU profile as a picture in `docs/flame`. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Bench, Place } from "../harness/contract.ts";
import { installPackages } from "../harness/packages.ts";
import { cpuByName, threadsCalled } from "../harness/proc.ts";
import { pin, pinThreads } from "../harness/process.ts";
import { load as benchNamed } from "../harness/side.ts";
import { FLAMES } from "./flames.ts";
import { watchNative } from "./native.ts";
import { fold, type Frame, type Profile, type Window } from "./profile.ts";
import { labelOf, roomOf, selfBy } from "./rooms.ts";
import { svgOf } from "./svg.ts";

const PICTURES = resolve(import.meta.dirname, "../../docs/flame");
const TOP = 20;

export async function flame(daemon: string, say: (line: string) => void): Promise<void> {
  const { bench: name, variant } = FLAMES[daemon]!;
  const bench = await benchNamed(name);
  await installPackages(bench.packages, say);
  await pin(1, process.pid);
  const folder = await mkdtemp(join(tmpdir(), `firstlight-flame-${daemon}-`));
  const place: Place = { folder, core: 0, loadCore: 1, profiles: join(folder, "profiles") };
  try {
    const { window, cpu } = await underLoad(bench, place, variant, say);
    const root = await profilesOf(join(folder, "profiles", daemon), window);
    const [took, used] = [root.totalUs / 1e6, cpu.get(daemon) ?? 0].map((seconds) => seconds.toFixed(1));
    const load = variant === undefined ? name : `${name}, ${variant}`;
    const title = `${daemon} under load (bench ${load}): ${took} s not idle, ${used} s of CPU`;
    await mkdir(PICTURES, { recursive: true });
    await writeFile(join(PICTURES, `${daemon}.svg`), svgOf(root, title));
    say(`docs/flame/${daemon}.svg: ${title}`);
    table(say, "by room", selfBy(root, roomOf), root.totalUs);
    table(say, "by function, itself alone", selfBy(root, labelOf).slice(0, TOP), root.totalUs);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** When the load ran; what each process used of it is printed, the kernel's part apart. */
async function underLoad(
  bench: Bench,
  place: Place,
  variant: string | undefined,
  say: (line: string) => void,
): Promise<{ readonly window: Window; readonly cpu: ReadonlyMap<string, number> }> {
  const ours = bench.contenders.find(({ peer }) => peer === undefined)!;
  await using serving = await ours.start(place);
  // V8's sampler on the daemon's own core would look when the daemon has nothing to do.
  await pinThreads(place.loadCore, threadsCalled("v8:ProfEvntProc", serving.pids()));
  const before = cpuByName(serving.pids());
  const native = await watchNative(serving.pids(), join(place.folder, "perf.data"), place.loadCore);
  const fromUs = nowUs();
  const { operations, seconds } = await bench.load(serving, ours, place, variant);
  const window = { fromUs, toUs: nowUs() };
  say(`${Math.round(operations / seconds)}/s`);
  for (const line of await native.lines()) say(`  ${line}`);
  const cpu = new Map<string, number>();
  for (const [name, after] of cpuByName(serving.pids())) {
    const { user, system } = before.get(name) ?? { user: 0, system: 0 };
    say(`${name}: ${(after.user - user).toFixed(1)} s user, ${(after.system - system).toFixed(1)} s system`);
    cpu.set(name, after.user - user + after.system - system);
  }
  return { window, cpu };
}

const nowUs = (): number => Number(process.hrtime.bigint() / 1000n);

/** One tree of all threads of the daemon: each writes a profile of its own. */
async function profilesOf(folder: string, window: Window): Promise<Frame> {
  let root: Frame | undefined;
  for (const file of await readdir(folder))
    root = fold(JSON.parse(await readFile(join(folder, file), "utf8")) as Profile, window, root);
  if (root === undefined || root.totalUs === 0) throw new Error(`no samples of the load in ${folder}`);
  return root;
}

function table(
  say: (line: string) => void,
  title: string,
  rows: readonly (readonly [string, number])[],
  wholeUs: number,
): void {
  say(title);
  for (const [name, us] of rows) say(`  ${((100 * us) / wholeUs).toFixed(1).padStart(5)} %  ${name}`);
}
