import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench, Report } from "./contract.ts";
import { cpuPerOp, type Measurement, highestForeignCpu, rateOf, ratios, results } from "./figures.ts";
import { machineFacts } from "./machine.ts";
import { installPackages } from "./packages.ts";
import { tableOf } from "./print.ts";
import { reportSchema } from "./report.ts";
import { pin } from "./process.ts";
import { MAX_FOREIGN_CPU, runRounds } from "./rounds.ts";

const BENCHES = join(import.meta.dirname, "..");
const RESULTS = join(BENCHES, "results");

/** What the command line asks for. */
export interface RunOptions {
  /** Absent: the bench's own number. */
  readonly rounds?: number;
  /** Names of the contenders; absent: all. */
  readonly only?: readonly string[];
  /** A round does not begin if it would end later. */
  readonly minutes: number;
  readonly keep: boolean;
  readonly json: boolean;
}

/** Runs one bench, ours and its peers. Keeps its report in bench/results where all of them took part. Returns the exit code. */
export async function runBench(name: Bench["name"], options: RunOptions): Promise<number> {
  const all = await loadBench(name);
  const unknown = options.only?.find((wanted) => !all.contenders.some((one) => one.name === wanted));
  if (unknown !== undefined) {
    console.error(`no contender ${unknown}; contenders: ${all.contenders.map((one) => one.name).join(", ")}`);
    return 2;
  }
  const bench = { ...all, contenders: all.contenders.filter((one) => options.only?.includes(one.name) ?? true) };
  await installPackages([...bench.packages, ...bench.contenders.flatMap(({ packages }) => packages)], print);
  await pin(1, process.pid);
  const [rounds, budgetMs] = [options.rounds ?? bench.rounds, options.minutes * 60_000];
  const measured = await runRounds(bench, { rounds, budgetMs, print, keep: options.keep });
  if (measured.length === 0) return 1;
  const report = await reportOf(bench, measured);
  reportSchema.parse(report);
  await mkdir(RESULTS, { recursive: true });
  if (options.only === undefined)
    await writeFile(join(RESULTS, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(tableOf(report, bench));
  if (options.json) console.log(JSON.stringify(report));
  return 0;
}

/** The export `bench` of a bench's file. Throws where there is none. */
export async function loadBench(name: string): Promise<Bench> {
  const file = join(BENCHES, `${name}.ts`);
  const exported: unknown = existsSync(file) ? ((await import(file)) as Record<string, unknown>)["bench"] : undefined;
  if ((exported as Bench | undefined)?.name !== name) throw new Error(`${file} exports no bench ${name}`);
  return exported as Bench;
}

function print(line: string): void {
  console.log(line);
}

const operationsPerCpu = (one: Measurement): number => 1 / Math.max(cpuPerOp(one), 1e-9);

async function reportOf(bench: Bench, measured: readonly Measurement[]): Promise<Report> {
  const peers = new Map(
    bench.contenders.flatMap(({ name, peer }) => (peer === undefined ? [] : [[name, peer] as const])),
  );
  const ours = bench.contenders.find(({ peer }) => peer === undefined)?.name ?? "";
  const foreignCpu = highestForeignCpu(measured);
  return {
    bench: bench.name,
    machine: await machineFacts(bench),
    rounds: new Set(measured.map(({ round }) => round)).size,
    foreignCpu: Number(foreignCpu.toFixed(3)),
    isMarked: foreignCpu > MAX_FOREIGN_CPU,
    results: results(measured),
    ratios: ratios(measured, ours, peers, rateOf),
    cpuRatios: ratios(measured, ours, peers, operationsPerCpu),
  };
}
