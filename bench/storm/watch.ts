import type { Step, StepName } from "@firstlight/rack";

/** Milestones of a storm and how often each other thing happened, as the machines tell it. */
export class Watch {
  readonly #times = new Map<StepName, number[]>();
  readonly because = new Map<string, number>();

  see({ step, at, detail }: Step): void {
    const times = this.#times.get(step);
    if (times) times.push(at);
    else this.#times.set(step, [at]);
    const because = detail["because"];
    if (because === undefined) return;
    // what differs from machine to machine is left out, so that like is counted with like
    const like = `${step}: ${String(because).replaceAll(/[0-9a-f-]*\d[0-9a-f.:-]*/gi, "#")}`;
    this.because.set(like, (this.because.get(like) ?? 0) + 1);
  }

  count(step: StepName): number {
    return this.#times.get(step)?.length ?? 0;
  }

  /** When this share of all that took the step had taken it, in milliseconds since power-on. */
  share(step: StepName, share: number): number {
    const times = (this.#times.get(step) ?? []).toSorted((a, b) => a - b);
    return times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? 0;
  }
}
