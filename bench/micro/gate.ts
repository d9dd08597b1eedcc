/** A case may take so many times what it took when the baseline was written, measured by the calibration of each. */
export const MOST_TIMES = 3;

/** Nanoseconds per operation, by case, and of the calibration in the same run. */
export interface Figures {
  readonly calibrationNs: number;
  readonly cases: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly name: string;
  readonly ns: number | undefined;
  /** What the baseline means on this machine, at this hour. */
  readonly expectedNs: number | undefined;
  readonly times: number | undefined;
  /** Why it is refused; absent: it passes. */
  readonly because?: string;
}

/** Each case of the run beside its baseline. A case that only one of them knows is refused: a gate must not open by itself. */
export function judge(measured: Figures, baseline: Figures): Verdict[] {
  const names = new Set([...Object.keys(measured.cases), ...Object.keys(baseline.cases)]);
  return [...names].map((name) => {
    const [ns, before] = [measured.cases[name], baseline.cases[name]];
    const expectedNs = before === undefined ? undefined : (before * measured.calibrationNs) / baseline.calibrationNs;
    const times = ns === undefined || expectedNs === undefined ? undefined : ns / expectedNs;
    const because = refusal(ns, times);
    return { name, ns, expectedNs, times, ...(because !== undefined && { because }) };
  });
}

function refusal(ns: number | undefined, times: number | undefined): string | undefined {
  if (ns === undefined) return "the baseline has it, the run has not: write the baseline anew";
  if (times === undefined) return "the baseline has it not: write the baseline anew";
  return times <= MOST_TIMES ? undefined : `${times.toFixed(1)} times its baseline; ${MOST_TIMES} are allowed`;
}

/** How often a case may be measured before it is refused: others use the machine too, and the quickest try counts. */
const TRIES = 3;

/** Measures, judges, and measures what is too slow again. `measure` is told which cases; all of them without names. */
export async function gate(
  measure: (names?: readonly string[]) => Promise<Figures>,
  baseline: Figures,
): Promise<Verdict[]> {
  let verdicts = judge(await measure(), baseline);
  for (let tries = 1; tries < TRIES; tries++) {
    const slow = verdicts.filter(({ times = 0 }) => times > MOST_TIMES).map(({ name }) => name);
    if (slow.length === 0) break;
    const again = new Map(judge(await measure(slow), baseline).map((verdict) => [verdict.name, verdict]));
    verdicts = verdicts.map((verdict) => {
      const other = again.get(verdict.name);
      return other?.times !== undefined && other.times < (verdict.times ?? 0) ? other : verdict;
    });
  }
  return verdicts;
}
