import type { Report, Result } from "./contract.ts";

/** What one load against one contender measured, with its CPU time and memory. */
export interface Measurement {
  readonly contender: string;
  readonly variant: string | undefined;
  readonly round: number;
  readonly operations: number;
  readonly seconds: number;
  readonly failed: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Share of one core that other processes used during the load. */
  readonly foreignCpu: number;
  readonly extra?: Readonly<Record<string, number>>;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** How far the values differ: (max − min) / median. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle;
}

/** The name of a contender's variant in the report. */
export function nameOf({ contender, variant }: Pick<Measurement, "contender" | "variant">): string {
  return variant === undefined ? contender : `${contender} ${variant}`;
}

export const rateOf = ({ operations, seconds }: Measurement): number => operations / seconds;

/** Microseconds of CPU per operation; 0 when nothing was answered. */
export const cpuPerOp = ({ cpuSeconds, operations }: Measurement): number =>
  operations === 0 ? 0 : (cpuSeconds * 1e6) / operations;

/** Share of one core that other processes used, for the result with the highest share. */
export function highestForeignCpu(measured: readonly Measurement[]): number {
  const each = Object.values(Object.groupBy(measured, nameOf)).map((group = []) => group.map((one) => one.foreignCpu));
  return Math.max(0, ...each.map(median));
}

export function results(measured: readonly Measurement[]): Record<string, Result> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(measured, nameOf)).map(([name, group = []]) => [name, resultOf(group)]),
  );
}

function resultOf(group: readonly Measurement[]): Result {
  const rates = group.map(rateOf);
  const keys = [...new Set(group.flatMap(({ extra = {} }) => Object.keys(extra)))];
  const extra = keys.map((key) => [key, round(median(group.flatMap((one) => one.extra?.[key] ?? [])))]);
  return {
    median: round(median(rates)),
    spread: round(spread(rates)),
    cpuPerOp: round(median(group.map(cpuPerOp))),
    rssBytes: Math.round(Math.max(...group.map(({ rssBytes }) => rssBytes))),
    failed: group.reduce((sum, { failed }) => sum + failed, 0),
    ...(keys.length > 0 && { extra: Object.fromEntries(extra) as Record<string, number> }),
  };
}

/**
 * Ours / each peer of the figure `of`: the median of the ratios within each round, because what slows down a round slows down
 * both. Without a round in common: the ratio of the medians. With variants, the peer's own name has the lowest of its ratios.
 */
export function ratios(
  measured: readonly Measurement[],
  ours: string,
  peers: ReadonlyMap<string, string>,
  of: (one: Measurement) => number,
): Report["ratios"] {
  const found: Record<string, number> = {};
  for (const [contender, peer] of peers) {
    for (const variant of new Set(measured.map((one) => one.variant))) {
      const same = (name: string): Measurement[] =>
        measured.filter((one) => one.contender === name && one.variant === variant);
      const [ourRuns, peerRuns] = [same(ours), same(contender)];
      if (ourRuns.length === 0 || peerRuns.length === 0) continue;
      const paired = ourRuns.flatMap((one) => {
        const other = peerRuns.find(({ round }) => round === one.round);
        return other === undefined || of(other) === 0 ? [] : [of(one) / of(other)];
      });
      const ratio = paired.length > 0 ? median(paired) : median(ourRuns.map(of)) / median(peerRuns.map(of));
      found[nameOf({ contender: peer, variant })] = round(ratio);
    }
    const each = Object.entries(found).flatMap(([name, ratio]) => (name.startsWith(`${peer} `) ? [ratio] : []));
    if (each.length > 0) found[peer] = Math.min(...each);
  }
  return found;
}

function round(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : 0;
}
