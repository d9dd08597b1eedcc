/** `npm run bench -- micro [--write-baseline]`: times hot paths in this process; fails at three times their baseline. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "./case.ts";
import { discover } from "./dhcp.ts";
import { question } from "./dns.ts";
import { echo } from "./echo.ts";
import { type Timings, gate, type Verdict } from "./gate.ts";
import { allocation, change } from "./ipam.ts";
import { measure } from "./measure.ts";
import { window } from "./tftp.ts";

const CASES: readonly Case[] = [discover, question, allocation, change, window, echo];
const BASELINE = join(import.meta.dirname, "baseline.json");
const SETTINGS = { rounds: 60, sliceMs: 2, warmMs: 250 };

/** Times the cases and compares them with the baseline, or writes a new one. Returns the exit code. */
export async function micro({
  write,
  print,
}: {
  readonly write: boolean;
  readonly print: (line: string) => void;
}): Promise<number> {
  if (write) {
    const timings = await measure(CASES, SETTINGS);
    await writeFile(BASELINE, `${JSON.stringify(timings, undefined, 2)}\n`);
    print(tableOf(await gate(async () => timings, timings)));
    return 0;
  }
  const baseline = JSON.parse(await readFile(BASELINE, "utf8")) as Timings;
  const verdicts = await gate(
    (names) =>
      measure(
        CASES.filter(({ name }) => names?.includes(name) ?? true),
        SETTINGS,
      ),
    baseline,
  );
  print(tableOf(verdicts));
  const failed = verdicts.filter(({ because }) => because !== undefined);
  for (const { name, because } of failed) print(`${name}: ${because}`);
  return failed.length === 0 ? 0 : 1;
}

function tableOf(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ name, ns, expectedNs, ratio }) => [
    name,
    figure(ns),
    figure(expectedNs),
    ratio === undefined ? "–" : ratio.toFixed(2),
  ]);
  const head = ["", "µs", "baseline, on this machine", "measured / baseline"];
  const widths = head.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]!.length)));
  return [head, ...rows]
    .map((row) => row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join("  "))
    .join("\n");
}

const figure = (ns: number | undefined): string => (ns === undefined ? "–" : (ns / 1000).toFixed(2));
