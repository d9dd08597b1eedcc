import type { Case, OpenCase } from "./case.ts";
import { calibration } from "./calibration.ts";
import type { Timings } from "./gate.ts";

/** How long to measure. */
export interface MeasureSettings {
  readonly rounds: number;
  /** Time of one case in one round. */
  readonly sliceMs: number;
  /** Time of each case before the first round, so that its code is compiled. */
  readonly warmMs: number;
}

/**
 * The shortest time per operation of all rounds. A slice is shorter than a scheduler's time slice, so that some slices run
 * undisturbed also on a busy machine. (A thread's CPU time is counted in hundredths of a second, which is too coarse.) Cases and
 * calibration alternate, so that a machine that slows down affects all of them.
 */
export async function measure(cases: readonly Case[], { rounds, sliceMs, warmMs }: MeasureSettings): Promise<Timings> {
  const all = [calibration, ...cases];
  const opened: OpenCase[] = [];
  for (const one of all) opened.push(await one.open());
  const times: number[] = [];
  for (const one of opened) times.push(await timesPerSlice(one, sliceMs, warmMs));
  const least = opened.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [n, one] of opened.entries()) least[n] = Math.min(least[n]!, await nsOf(one, times[n]!));
  }
  for (const one of opened) await one.close?.();
  const [calibrationNs = Number.NaN, ...ns] = least.map((one) => Number(one.toPrecision(4)));
  return { calibrationNs, cases: Object.fromEntries(cases.map(({ name }, n) => [name, ns[n]!])) };
}

/** How often a case runs in one slice; measured while it warms up. */
async function timesPerSlice(one: OpenCase, sliceMs: number, warmMs: number): Promise<number> {
  const until = performance.now() + warmMs;
  let times = 16;
  for (;;) {
    const began = performance.now();
    await one.run(times);
    const tookMs = performance.now() - began;
    if (performance.now() >= until) return Math.max(1, Math.round((times * sliceMs) / Math.max(tookMs, 0.001)));
    if (tookMs < sliceMs) times *= 2;
  }
}

async function nsOf(one: OpenCase, times: number): Promise<number> {
  const began = performance.now();
  await one.run(times);
  return ((performance.now() - began) * 1e6) / times;
}
