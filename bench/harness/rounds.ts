import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench, Contender, Place, Sample, Serving } from "./contract.ts";
import { type Measured, nameOf } from "./figures.ts";
import { busySeconds, cpuSeconds, memoryBytes } from "./proc.ts";

export interface RoundsOptions {
  readonly rounds: number;
  /** No round begins that would probably end after this long. */
  readonly budgetMs: number;
  readonly say: (line: string) => void;
  /** Keep the folders of the contenders, with their logs. */
  readonly keep: boolean;
}

/** Others may use this share of one core before a run is repeated. */
export const MOST_FOREIGN = 0.3;

/** Every contender in every round, the first one another each time, so that drift hits all alike. */
export async function runRounds(bench: Bench, options: RoundsOptions): Promise<Measured[]> {
  const { rounds, budgetMs, say } = options;
  const began = performance.now();
  const measured: Measured[] = [];
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
        measured.push(...(await runOne(bench, contender, round, budgetMs - (performance.now() - began), options)));
      } catch (fault) {
        say(`${contender.name}, round ${round + 1}: ${(fault as Error).message}`);
      }
    }
  }
  return measured;
}

async function runOne(
  bench: Bench,
  contender: Contender,
  round: number,
  leftMs: number,
  { say, keep }: RoundsOptions,
): Promise<Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), `firstlight-bench-${contender.name}-`), "utf8");
  const place: Place = { folder, core: 0, loadCore: Math.min(1, cpus().length - 1) };
  const until = performance.now() + leftMs;
  const measured: Measured[] = [];
  try {
    await using serving = await contender.start(place);
    for (const variant of bench.variants ?? [undefined]) {
      const load = (): Promise<Sample> => bench.load(serving, contender, place, variant);
      const of = { contender: contender.name, variant, round };
      const startedAt = performance.now();
      let one: Measured = { ...of, ...(await watch(serving, load)) };
      const tookMs = performance.now() - startedAt;
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
  return measured;
}

/** Runs one load, and reads what it cost the contender and what everybody else used meanwhile. */
async function watch(
  serving: Serving,
  load: () => Promise<Sample>,
): Promise<Omit<Measured, "contender" | "variant" | "round">> {
  const began = performance.now();
  const before = { busy: busySeconds(), ours: cpuSeconds([process.pid]), contender: cpuSeconds(serving.pids()) };
  const { operations, seconds, failed, extra } = await load();
  const { cpuSeconds: counted, ...rest } = extra ?? {}; // a load that finds its rate first says what counted
  const contender = cpuSeconds(serving.pids()) - before.contender;
  const elapsed = (performance.now() - began) / 1000;
  const ours = cpuSeconds([process.pid]) - before.ours;
  const foreignCpu = Math.max(0, busySeconds() - before.busy - ours) / elapsed;
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
