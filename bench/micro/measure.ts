import type { Case, Opened } from "./case.ts";
import { calibration } from "./calibration.ts";
import type { Figures } from "./gate.ts";

export interface Measure {
  readonly rounds: number;
  /** One case in one round. */
  readonly sliceMs: number;
  /** Before the first round, until it is compiled. */
  readonly warmMs: number;
}

/**
 * The least time that an operation took in any round. A slice is shorter than a turn on the processor, so that of many one
 * passes undisturbed on the busiest machine (a thread's own CPU time would say it in one, but is counted in hundredths of a
 * second). Cases and calibration take turns: a machine that slows down slows all of them.
 */
export async function measure(cases: readonly Case[], { rounds, sliceMs, warmMs }: Measure): Promise<Figures> {
  const all = [calibration, ...cases];
  const opened: Opened[] = [];
  for (const one of all) opened.push(await one.open());
  const times: number[] = [];
  for (const one of opened) times.push(await timesIn(one, sliceMs, warmMs));
  const least = opened.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [n, one] of opened.entries()) least[n] = Math.min(least[n]!, await nsOf(one, times[n]!));
  }
  for (const one of opened) await one.close?.();
  const [calibrationNs = Number.NaN, ...ns] = least.map((one) => Number(one.toPrecision(4)));
  return { calibrationNs, cases: Object.fromEntries(cases.map(({ name }, n) => [name, ns[n]!])) };
}

/** How often a case runs in a slice, found while it warms up. */
async function timesIn(one: Opened, sliceMs: number, warmMs: number): Promise<number> {
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

async function nsOf(one: Opened, times: number): Promise<number> {
  const began = performance.now();
  await one.run(times);
  return ((performance.now() - began) * 1e6) / times;
}
