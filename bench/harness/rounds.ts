import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { Bench, Contender, Placement, Sample, RunningServer } from "./contract.ts";
import { type Measurement, nameOf } from "./figures.ts";
import { busySeconds, coresOf, cpuSeconds, memoryBytes } from "./proc.ts";

/** How the rounds of a bench are run. */
export interface RoundsOptions {
  readonly rounds: number;
  /** A round does not begin if it would probably end after this time. */
  readonly budgetMs: number;
  /** How long a running round may go on after the budget. Default `GRACE_MS`. */
  readonly graceMs?: number;
  readonly print: (line: string) => void;
  /** Whether the folders of the contenders are kept, with their logs. */
  readonly keep: boolean;
}

/** A run is repeated where other processes used more than this share of one core. */
export const MAX_FOREIGN_CPU = 0.3;

/** How long a running round may go on after the budget. With the command line's default of 8 minutes: 9 minutes in all. */
export const GRACE_MS = 60_000;

/**
 * Runs every contender in every round. Each round begins with another contender, so that drift affects all alike. After the
 * budget and its grace it returns what was measured until then; a load that hangs ends with this process.
 */
export async function runRounds(bench: Bench, options: RoundsOptions): Promise<Measurement[]> {
  const { budgetMs, graceMs = GRACE_MS, print } = options;
  const measured: Measurement[] = [];
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    print(`ended after ${((budgetMs + graceMs) / 60_000).toFixed(1)} minutes, in the middle of a round`);
    timeout.resolve();
  }, budgetMs + graceMs);
  await Promise.race([runAll(bench, options, measured), timeout.promise]);
  clearTimeout(timer);
  return [...measured];
}

async function runAll(bench: Bench, options: RoundsOptions, measured: Measurement[]): Promise<void> {
  const { rounds, budgetMs, print } = options;
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    const spent = performance.now() - began;
    if (round > 0 && spent + spent / round > budgetMs) {
      print(`stopped after ${round} of ${rounds} rounds: no time for another`);
      break;
    }
    const first = round % bench.contenders.length;
    const order = [...bench.contenders.slice(first), ...bench.contenders.slice(0, first)];
    for (const contender of order) {
      try {
        await runOne(bench, contender, round, budgetMs - (performance.now() - began), options, measured);
      } catch (fault) {
        print(`${contender.name}, round ${round + 1}: ${(fault as Error).message}`);
      }
    }
  }
}

async function runOne(
  bench: Bench,
  contender: Contender,
  round: number,
  leftMs: number,
  { print, keep }: RoundsOptions,
  measured: Measurement[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), `firstlight-bench-${contender.name}-`), "utf8");
  const placement: Placement = { folder, core: 0, loadCore: Math.min(1, cpus().length - 1) };
  const until = performance.now() + leftMs;
  try {
    await using server = await contender.start(placement);
    for (const variant of bench.variants ?? [undefined]) {
      const load = (): Promise<Sample> => bench.load(server, contender, placement, variant);
      const of = { contender: contender.name, variant, round };
      const startedAt = performance.now();
      let measurement: Measurement = { ...of, ...(await measureLoad(server, load)) };
      const tookMs = performance.now() - startedAt;
      assertOnCore(server, placement.core);
      // Where other processes used too much of the machine and there is time, run again; the run with less foreign CPU counts.
      if (bench.isOnce !== true && measurement.foreignCpu > MAX_FOREIGN_CPU && performance.now() + 4 * tookMs < until) {
        const again = { ...of, ...(await measureLoad(server, load)) };
        if (again.foreignCpu < measurement.foreignCpu) measurement = again;
      }
      measured.push(measurement);
      print(`round ${round + 1} ${nameOf(measurement)}: ${lineOf(measurement)}`);
    }
  } finally {
    if (keep) print(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Throws where a thread of the contender, or of its database, may use another core. */
function assertOnCore(server: RunningServer, core: number): void {
  const elsewhere = coresOf(server.pids()).filter(({ cores }) => cores !== String(core));
  if (elsewhere.length > 0)
    throw new Error(`not only on core ${core}: ${elsewhere.map(({ pid, cores }) => `${pid} on ${cores}`).join(", ")}`);
}

/** Runs one load, and measures the CPU time and memory of the contender, and the CPU time of other processes. */
async function measureLoad(
  server: RunningServer,
  load: () => Promise<Sample>,
): Promise<Omit<Measurement, "contender" | "variant" | "round">> {
  const began = performance.now();
  const contenderCpu = (): number => server.cpuSeconds?.() ?? cpuSeconds(server.pids());
  // Contenders are children of this process; `contenderCpu` may know of further ones.
  const benchCpu = (): number => cpuSeconds([process.pid]) + (contenderCpu() - cpuSeconds(server.pids()));
  const before = { busy: busySeconds(), bench: benchCpu(), contender: contenderCpu() };
  const { operations, seconds, failed, extra } = await load();
  const { cpuSeconds: counted, ...rest } = extra ?? {}; // a load that searches for its rate gives the CPU time of the counted part
  const contender = contenderCpu() - before.contender;
  const elapsed = (performance.now() - began) / 1000;
  const foreignCpu = Math.max(0, busySeconds() - before.busy - (benchCpu() - before.bench)) / elapsed;
  const rssBytes = memoryBytes(server.pids());
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

function lineOf({ operations, seconds, failed, cpuSeconds, foreignCpu }: Measurement): string {
  const rate = (operations / seconds).toFixed(operations / seconds < 100 ? 2 : 0);
  const cpu = operations === 0 ? "–" : ((cpuSeconds * 1e6) / operations).toFixed(1);
  return `${rate}/s, ${cpu} µs CPU each, ${failed} failed, other processes used ${(foreignCpu * 100).toFixed(0)} % of a core`;
}
