import type { Report, Result } from "./contract.ts";

/** What one load against one contender gave, with what it cost. */
export interface Measured {
  readonly contender: string;
  readonly variant: string | undefined;
  readonly round: number;
  readonly operations: number;
  readonly seconds: number;
  readonly failed: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Share of one core that others used meanwhile. */
  readonly foreignCpu: number;
  readonly extra?: Readonly<Record<string, number>>;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** How far the values lay apart: (max − min) / median. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle;
}

/** Under which name a contender's variant is reported. */
export function nameOf({ contender, variant }: Pick<Measured, "contender" | "variant">): string {
  return variant === undefined ? contender : `${contender} ${variant}`;
}

export const rateOf = ({ operations, seconds }: Measured): number => operations / seconds;

/** Microseconds of CPU per operation; none when nothing was answered. */
export const cpuPerOp = ({ cpuSeconds, operations }: Measured): number =>
  operations === 0 ? 0 : (cpuSeconds * 1e6) / operations;

/** How much of a core others used, of the result that suffered most: a quiet bench does not excuse one loud contender. */
export function mostForeign(measured: readonly Measured[]): number {
  const each = Object.values(Object.groupBy(measured, nameOf)).map((some = []) => some.map((one) => one.foreignCpu));
  return Math.max(0, ...each.map(median));
}

export function results(measured: readonly Measured[]): Record<string, Result> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(measured, nameOf)).map(([name, some = []]) => [name, resultOf(some)]),
  );
}

function resultOf(some: readonly Measured[]): Result {
  const rates = some.map(rateOf);
  const keys = [...new Set(some.flatMap(({ extra = {} }) => Object.keys(extra)))];
  const extra = keys.map((key) => [key, round(median(some.flatMap((one) => one.extra?.[key] ?? [])))]);
  return {
    median: round(median(rates)),
    spread: round(spread(rates)),
    cpuPerOp: round(median(some.map(cpuPerOp))),
    rssBytes: Math.round(Math.max(...some.map(({ rssBytes }) => rssBytes))),
    failed: some.reduce((sum, { failed }) => sum + failed, 0),
    ...(keys.length > 0 && { extra: Object.fromEntries(extra) as Record<string, number> }),
  };
}

/**
 * Ours over each peer, by `of`: the median of the ratios within each round, since what slows a whole round down slows
 * both. Without a round in common the ratio of the medians. Where there are variants,
 * a peer's own name has the least of its ratios.
 */
export function ratios(
  measured: readonly Measured[],
  ours: string,
  peers: ReadonlyMap<string, string>,
  of: (one: Measured) => number,
): Report["ratios"] {
  const found: Record<string, number> = {};
  for (const [contender, peer] of peers) {
    for (const variant of new Set(measured.map((one) => one.variant))) {
      const same = (name: string): Measured[] =>
        measured.filter((one) => one.contender === name && one.variant === variant);
      const [mine, theirs] = [same(ours), same(contender)];
      if (mine.length === 0 || theirs.length === 0) continue;
      const paired = mine.flatMap((one) => {
        const other = theirs.find(({ round }) => round === one.round);
        return other === undefined || of(other) === 0 ? [] : [of(one) / of(other)];
      });
      const ratio = paired.length > 0 ? median(paired) : median(mine.map(of)) / median(theirs.map(of));
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
