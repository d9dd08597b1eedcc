/** A case may take this many times its baseline, both relative to the calibration of their run. */
export const MAX_RATIO = 3;

/** Nanoseconds per operation of each case, and of the calibration in the same run. */
export interface Timings {
  readonly calibrationNs: number;
  readonly cases: Readonly<Record<string, number>>;
}

/** A case beside its baseline. */
export interface Verdict {
  readonly name: string;
  readonly ns: number | undefined;
  /** The baseline, converted to this machine by the calibration. */
  readonly expectedNs: number | undefined;
  /** Measured / expected. */
  readonly ratio: number | undefined;
  /** Why the case fails; absent: it passes. */
  readonly because?: string;
}

/** Compares each case of a run with its baseline. A case that is missing in one of them fails. */
export function compare(measured: Timings, baseline: Timings): Verdict[] {
  const names = new Set([...Object.keys(measured.cases), ...Object.keys(baseline.cases)]);
  return [...names].map((name) => {
    const [ns, before] = [measured.cases[name], baseline.cases[name]];
    const expectedNs = before === undefined ? undefined : (before * measured.calibrationNs) / baseline.calibrationNs;
    const ratio = ns === undefined || expectedNs === undefined ? undefined : ns / expectedNs;
    const because = failure(ns, ratio);
    return { name, ns, expectedNs, ratio, ...(because !== undefined && { because }) };
  });
}

function failure(ns: number | undefined, ratio: number | undefined): string | undefined {
  if (ns === undefined) return "is in the baseline and was not measured; write a new baseline with --write-baseline";
  if (ratio === undefined) return "is not in the baseline; write a new baseline with --write-baseline";
  return ratio <= MAX_RATIO
    ? undefined
    : `takes ${ratio.toFixed(1)} times its baseline; ${MAX_RATIO} times are allowed`;
}

/** How often a slow case is measured. The fastest try counts, because other processes may use the machine. */
const TRIES = 3;

/** Measures all cases, and those that are too slow again. `measure` gets the names of the cases; without names it measures all. */
export async function gate(
  measure: (names?: readonly string[]) => Promise<Timings>,
  baseline: Timings,
): Promise<Verdict[]> {
  let verdicts = compare(await measure(), baseline);
  for (let tries = 1; tries < TRIES; tries++) {
    const slow = verdicts.filter(({ ratio = 0 }) => ratio > MAX_RATIO).map(({ name }) => name);
    if (slow.length === 0) break;
    const again = new Map(compare(await measure(slow), baseline).map((verdict) => [verdict.name, verdict]));
    verdicts = verdicts.map((verdict) => {
      const other = again.get(verdict.name);
      return other?.ratio !== undefined && other.ratio < (verdict.ratio ?? 0) ? other : verdict;
    });
  }
  return verdicts;
}
