/** `npm run bench -- micro [--write-baseline]`: hot paths timed in this process, and refused at three times their baseline. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Case } from "./case.ts";
import { discover } from "./dhcp.ts";
import { question } from "./dns.ts";
import { echo } from "./echo.ts";
import { type Figures, gate, type Verdict } from "./gate.ts";
import { allocation, change } from "./ipam.ts";
import { measure } from "./measure.ts";
import { window } from "./tftp.ts";

const CASES: readonly Case[] = [discover, question, allocation, change, window, echo];
const BASELINE = join(import.meta.dirname, "baseline.json");
const SHAPE = { rounds: 60, sliceMs: 2, warmMs: 250 };

export async function micro({
  write,
  say,
}: {
  readonly write: boolean;
  readonly say: (line: string) => void;
}): Promise<number> {
  if (write) {
    const figures = await measure(CASES, SHAPE);
    await writeFile(BASELINE, `${JSON.stringify(figures, undefined, 2)}\n`);
    say(tableOf(await gate(async () => figures, figures)));
    return 0;
  }
  const baseline = JSON.parse(await readFile(BASELINE, "utf8")) as Figures;
  const verdicts = await gate(
    (names) =>
      measure(
        CASES.filter(({ name }) => names?.includes(name) ?? true),
        SHAPE,
      ),
    baseline,
  );
  say(tableOf(verdicts));
  const refused = verdicts.filter(({ because }) => because !== undefined);
  for (const { name, because } of refused) say(`${name}: ${because}`);
  return refused.length === 0 ? 0 : 1;
}

function tableOf(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ name, ns, expectedNs, times }) => [
    name,
    figure(ns),
    figure(expectedNs),
    times === undefined ? "–" : times.toFixed(2),
  ]);
  const head = ["", "µs", "baseline here", "measured / baseline"];
  const widths = head.map((title, n) => Math.max(title.length, ...rows.map((row) => row[n]!.length)));
  return [head, ...rows]
    .map((row) => row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join("  "))
    .join("\n");
}

const figure = (ns: number | undefined): string => (ns === undefined ? "–" : (ns / 1000).toFixed(2));
