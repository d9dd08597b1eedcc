import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bench, Report } from "./contract.ts";
import { cpuPerOp, type Measured, mostForeign, rateOf, ratios, results } from "./figures.ts";
import { machineFacts } from "./machine.ts";
import { installPackages } from "./packages.ts";
import { tableOf } from "./print.ts";
import { reportSchema } from "./report.ts";
import { pin } from "./process.ts";
import { MOST_FOREIGN, runRounds } from "./rounds.ts";

const BENCHES = join(import.meta.dirname, "..");
const RESULTS = join(BENCHES, "results");

export interface Asked {
  readonly rounds?: number;
  readonly only?: readonly string[];
  readonly minutes: number;
  readonly keep: boolean;
  readonly json: boolean;
}

/** Runs one bench, ours and its peers, and keeps its report where all of them took part. The exit code. */
export async function sideBySide(name: Bench["name"], asked: Asked): Promise<number> {
  const whole = await load(name);
  const unknown = asked.only?.find((wanted) => !whole.contenders.some((one) => one.name === wanted));
  if (unknown !== undefined) {
    console.error(`no contender ${unknown}: there are ${whole.contenders.map((one) => one.name).join(", ")}`);
    return 2;
  }
  const bench = { ...whole, contenders: whole.contenders.filter((one) => asked.only?.includes(one.name) ?? true) };
  await installPackages([...bench.packages, ...bench.contenders.flatMap(({ packages }) => packages)], say);
  await pin(1, process.pid);
  const [rounds, budgetMs] = [asked.rounds ?? bench.rounds, asked.minutes * 60_000];
  const measured = await runRounds(bench, { rounds, budgetMs, say, keep: asked.keep });
  if (measured.length === 0) return 1;
  const report = await reportOf(bench, measured);
  reportSchema.parse(report);
  await mkdir(RESULTS, { recursive: true });
  if (asked.only === undefined)
    await writeFile(join(RESULTS, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(tableOf(report, bench));
  if (asked.json) console.log(JSON.stringify(report));
  return 0;
}

/** A bench is what its file exports as `bench`. */
export async function load(name: string): Promise<Bench> {
  const file = join(BENCHES, `${name}.ts`);
  const exported: unknown = existsSync(file) ? ((await import(file)) as Record<string, unknown>)["bench"] : undefined;
  if ((exported as Bench | undefined)?.name !== name) throw new Error(`${file} exports no bench ${name}`);
  return exported as Bench;
}

function say(line: string): void {
  console.log(line);
}

const cheap = (one: Measured): number => 1 / Math.max(cpuPerOp(one), 1e-9);

async function reportOf(bench: Bench, measured: readonly Measured[]): Promise<Report> {
  const peers = new Map(
    bench.contenders.flatMap(({ name, peer }) => (peer === undefined ? [] : [[name, peer] as const])),
  );
  const ours = bench.contenders.find(({ peer }) => peer === undefined)?.name ?? "";
  const foreignCpu = mostForeign(measured);
  return {
    bench: bench.name,
    machine: await machineFacts(bench),
    rounds: new Set(measured.map(({ round }) => round)).size,
    foreignCpu: Number(foreignCpu.toFixed(3)),
    isMarked: foreignCpu > MOST_FOREIGN,
    results: results(measured),
    ratios: ratios(measured, ours, peers, rateOf),
    cpuRatios: ratios(measured, ours, peers, cheap),
  };
}
