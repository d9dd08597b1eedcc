import type { Bench, Report } from "./contract.ts";

/** The report as a table of text. */
export function tableOf(report: Report, { operation }: Bench): string {
  const rows = Object.entries(report.results).map(([name, result]) => [
    name,
    figure(result.median),
    `${(result.spread * 100).toFixed(0)} %`,
    figure(result.cpuPerOp),
    (result.rssBytes / 2 ** 20).toFixed(0),
    String(result.failed),
  ]);
  const head = ["", "per second", "spread", "µs CPU each", "MiB", "failed"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return [
    `${report.bench}: ${operation}; ${report.rounds} rounds`,
    line(head),
    ...rows.map(line),
    ...ratioLines("ours / peer, per second", report.ratios),
    ...ratioLines("peer / ours, CPU each", report.cpuRatios),
    `other processes used ${(report.foreignCpu * 100).toFixed(0)} % of a core${report.isMarked ? ": MARKED, the rates are not reliable; compare the CPU" : ""}`,
  ].join("\n");
}

function ratioLines(title: string, ratios: Readonly<Record<string, number>>): string[] {
  const texts = Object.entries(ratios).map(([peer, ratio]) => `${peer} ${ratio.toFixed(2)}`);
  return texts.length === 0 ? [] : [`${title}: ${texts.join(", ")}`];
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 1000 ? 1 : 0);
}
