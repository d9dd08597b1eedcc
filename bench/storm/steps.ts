import type { Step, StepName } from "@firstlight/rack";

/** The steps that the machines reported: how often, when, and for which reasons. */
export class StepLog {
  readonly #times = new Map<StepName, number[]>();
  /** How often each reason occurred, without what differs between machines. */
  readonly reasons = new Map<string, number>();

  /** Adds one step of a machine. */
  add({ step, at, detail }: Step): void {
    const times = this.#times.get(step);
    if (times) times.push(at);
    else this.#times.set(step, [at]);
    const because = detail["because"];
    if (because === undefined) return;
    // numbers and ids are replaced, so that the same reason of two machines counts as one
    const reason = `${step}: ${String(because).replaceAll(/[0-9a-f-]*\d[0-9a-f.:-]*/gi, "#")}`;
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  /** How often the step occurred. */
  count(step: StepName): number {
    return this.#times.get(step)?.length ?? 0;
  }

  /** The time, in milliseconds since power-on, at which this share (0 to 1) of the step's occurrences had happened. */
  timeOfShare(step: StepName, share: number): number {
    const times = (this.#times.get(step) ?? []).toSorted((a, b) => a - b);
    return times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0;
  }
}
