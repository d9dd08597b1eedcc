/**
 * `npm run bench -- dhcp|dns|tftp|http|storm|api|ipam`: ours and the peers side by side on this machine. Linux; root and
 * Debian packages for the peers.
 *
 *   --rounds N     rounds instead of the bench's own number
 *   --only A,B     these contenders alone
 *   --minutes N    no round begins that would end later (default 8)
 *   --keep         keep the contenders' folders with their logs
 *   --json         the report as one object, alone on the last line
 *
 * Each contender, its database included, runs on core 0 and the load on core 1. Results are kept in `bench/results/`.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Bench, Report } from "./harness/contract.ts";
import { cpuPerOp, type Measured, median, rateOf, ratios, results } from "./harness/figures.ts";
import { machineFacts } from "./harness/machine.ts";
import { installPackages } from "./harness/packages.ts";
import { tableOf } from "./harness/print.ts";
import { pin } from "./harness/process.ts";
import { MOST_FOREIGN, runRounds } from "./harness/rounds.ts";

const NAMES: readonly Bench["name"][] = ["dhcp", "dns", "tftp", "http", "storm", "api", "ipam"];
const RESULTS = join(import.meta.dirname, "results");

const { values, positionals } = asked();

/** What the command line asks for; what it cannot mean is one line and exit 2. */
function asked() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: "string" },
        only: { type: "string" },
        minutes: { type: "string", default: "8" },
        keep: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    console.error((error as Error).message.split(". ")[0]);
    return process.exit(2);
  }
}

async function main(): Promise<number> {
  const name = NAMES.find((name) => name === positionals[0]);
  const file = join(import.meta.dirname, `${name}.ts`);
  if (name === undefined || positionals.length !== 1 || !existsSync(file)) {
    console.error(
      `which bench? ${NAMES.filter((name) => existsSync(join(import.meta.dirname, `${name}.ts`))).join(" ")}`,
    );
    return 2;
  }
  const whole = await load(file, name);
  const only = values.only?.split(",");
  const unknown = only?.find((wanted) => !whole.contenders.some(({ name }) => name === wanted));
  if (unknown !== undefined) {
    console.error(`no contender ${unknown}: there are ${whole.contenders.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  const bench = { ...whole, contenders: whole.contenders.filter(({ name }) => only?.includes(name) ?? true) };
  await installPackages([...bench.packages, ...bench.contenders.flatMap(({ packages }) => packages)], say);
  await pin(1, process.pid);
  const [rounds, budgetMs] = [Number(values.rounds ?? bench.rounds), Number(values.minutes) * 60_000];
  const measured = await runRounds(bench, { rounds, budgetMs, say, keep: values.keep });
  if (measured.length === 0) return 1;
  const report = await reportOf(bench, measured);
  await mkdir(RESULTS, { recursive: true });
  if (only === undefined) await writeFile(join(RESULTS, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(tableOf(report, bench));
  if (values.json) console.log(JSON.stringify(report));
  return 0;
}

const cheap = (one: Measured): number => 1 / Math.max(cpuPerOp(one), 1e-9);

function say(line: string): void {
  console.log(line);
}

/** A bench is what its file exports as `bench`. */
async function load(file: string, name: string): Promise<Bench> {
  const exported: unknown = ((await import(file)) as Record<string, unknown>)["bench"];
  if ((exported as Bench | undefined)?.name !== name) throw new Error(`${file} exports no bench ${name}`);
  return exported as Bench;
}

async function reportOf(bench: Bench, measured: readonly Measured[]): Promise<Report> {
  const peers = new Map(
    bench.contenders.flatMap(({ name, peer }) => (peer === undefined ? [] : [[name, peer] as const])),
  );
  const ours = bench.contenders.find(({ peer }) => peer === undefined)?.name ?? "";
  const foreignCpu = median(measured.map((one) => one.foreignCpu));
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

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
process.exit(await main());
