import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench, Contender, Place, Sample, Serving } from "./contract.ts";
import { type Measured, nameOf } from "./figures.ts";
import { busySeconds, coresOf, cpuSeconds, memoryBytes } from "./proc.ts";

export interface RoundsOptions {
  readonly rounds: number;
  /** No round begins that would probably end after this long. */
  readonly budgetMs: number;
  /** Default `GRACE_MS`. */
  readonly graceMs?: number;
  readonly say: (line: string) => void;
  /** Keep the folders of the contenders, with their logs. */
  readonly keep: boolean;
}

/** Others may use this share of one core before a run is repeated. */
export const MOST_FOREIGN = 0.3;

/** What a round that is under way may take beyond the budget. With the command line's default of 8 minutes: 9 in all. */
export const GRACE_MS = 60_000;

/**
 * Every contender in every round, the first one another each time, so that drift hits all alike. Past the budget and its
 * grace what was measured until then is given back, and what hangs is left to the end of this process.
 */
export async function runRounds(bench: Bench, options: RoundsOptions): Promise<Measured[]> {
  const { budgetMs, graceMs = GRACE_MS, say } = options;
  const measured: Measured[] = [];
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    say(`ended after ${((budgetMs + graceMs) / 60_000).toFixed(1)} minutes, in the midst of a round`);
    late.resolve();
  }, budgetMs + graceMs);
  await Promise.race([runAll(bench, options, measured), late.promise]);
  clearTimeout(timer);
  return [...measured];
}

async function runAll(bench: Bench, options: RoundsOptions, measured: Measured[]): Promise<void> {
  const { rounds, budgetMs, say } = options;
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    const spent = performance.now() - began;
    if (round > 0 && spent + spent / round > budgetMs) {
      say(`no time for more than ${round} of ${rounds} rounds`);
      break;
    }
    const first = round % bench.contenders.length;
    const order = [...bench.contenders.slice(first), ...bench.contenders.slice(0, first)];
    for (const contender of order) {
      try {
        await runOne(bench, contender, round, budgetMs - (performance.now() - began), options, measured);
      } catch (fault) {
        say(`${contender.name}, round ${round + 1}: ${(fault as Error).message}`);
      }
    }
  }
}

async function runOne(
  bench: Bench,
  contender: Contender,
  round: number,
  leftMs: number,
  { say, keep }: RoundsOptions,
  measured: Measured[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), `firstlight-bench-${contender.name}-`), "utf8");
  const place: Place = { folder, core: 0, loadCore: Math.min(1, cpus().length - 1) };
  const until = performance.now() + leftMs;
  try {
    await using serving = await contender.start(place);
    for (const variant of bench.variants ?? [undefined]) {
      const load = (): Promise<Sample> => bench.load(serving, contender, place, variant);
      const of = { contender: contender.name, variant, round };
      const startedAt = performance.now();
      let one: Measured = { ...of, ...(await watch(serving, load)) };
      const tookMs = performance.now() - startedAt;
      onCore(serving, place.core);
      // Again, while others use too much of the machine and there is time: the quieter one counts.
      if (bench.isOnce !== true && one.foreignCpu > MOST_FOREIGN && performance.now() + 4 * tookMs < until) {
        const again = { ...of, ...(await watch(serving, load)) };
        if (again.foreignCpu < one.foreignCpu) one = again;
      }
      measured.push(one);
      say(`round ${round + 1} ${nameOf(one)}: ${lineOf(one)}`);
    }
  } finally {
    if (keep) say(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A contender that had more than its core is no contender: its database, its workers and their threads included. */
function onCore(serving: Serving, core: number): void {
  const astray = coresOf(serving.pids()).filter(({ cores }) => cores !== String(core));
  if (astray.length > 0)
    throw new Error(`not on core ${core} alone: ${astray.map(({ pid, cores }) => `${pid} on ${cores}`).join(", ")}`);
}

/** Runs one load, and reads what it cost the contender and what everybody else used meanwhile. */
async function watch(
  serving: Serving,
  load: () => Promise<Sample>,
): Promise<Omit<Measured, "contender" | "variant" | "round">> {
  const began = performance.now();
  const used = (): number => serving.cpuSeconds?.() ?? cpuSeconds(serving.pids());
  // Contenders are our children; what an account knows beyond them is theirs as well.
  const ours = (): number => cpuSeconds([process.pid]) + (used() - cpuSeconds(serving.pids()));
  const before = { busy: busySeconds(), ours: ours(), contender: used() };
  const { operations, seconds, failed, extra } = await load();
  const { cpuSeconds: counted, ...rest } = extra ?? {}; // a load that finds its rate first says what counted
  const contender = used() - before.contender;
  const elapsed = (performance.now() - began) / 1000;
  const foreignCpu = Math.max(0, busySeconds() - before.busy - (ours() - before.ours)) / elapsed;
  const rssBytes = memoryBytes(serving.pids());
  return {
    operations,
    seconds,
    failed,
    cpuSeconds: counted ?? contender,
    rssBytes,
    foreignCpu,
    ...(Object.keys(rest).length > 0 && { extra: rest }),
  };
}

function lineOf({ operations, seconds, failed, cpuSeconds, foreignCpu }: Measured): string {
  const rate = (operations / seconds).toFixed(operations / seconds < 100 ? 2 : 0);
  const cpu = operations === 0 ? "–" : ((cpuSeconds * 1e6) / operations).toFixed(1);
  return `${rate}/s, ${cpu} µs CPU each, ${failed} failed, others used ${(foreignCpu * 100).toFixed(0)} % of a core`;
}
