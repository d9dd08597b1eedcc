/** A search for the highest rate that a server holds. */
export interface Search<Found> {
  /** First rate. */
  readonly start: number;
  /** The rate is multiplied by it for as long as the server holds. */
  readonly factor: number;
  readonly maxRate: number;
  /** One run at this rate; `undefined` when the server does not hold it. */
  readonly attempt: (rate: number) => Promise<Found | undefined>;
}

/**
 * The result of the highest rate that holds: the rate is raised by `factor` while it holds, then tried once between the last two.
 * A rate that fails is tried once more, because a pause (checkpoint, garbage collection, another process) is no limit.
 * `undefined` where no rate held.
 */
export async function highestRate<Found>({
  start,
  factor,
  maxRate,
  attempt,
}: Search<Found>): Promise<Found | undefined> {
  const attemptTwice = async (rate: number): Promise<Found | undefined> =>
    (await attempt(rate)) ?? (await attempt(rate));
  let rate = start;
  let best = await attemptTwice(rate);
  for (let tries = 0; best === undefined && tries < 4; tries++) best = await attemptTwice((rate /= factor * factor));
  if (best === undefined) return undefined;
  if (rate < start) return best;
  while (rate * factor <= maxRate) {
    const next = await attemptTwice(rate * factor);
    if (next === undefined) return (await attemptTwice(rate * Math.sqrt(factor))) ?? best;
    [best, rate] = [next, rate * factor];
  }
  return best;
}
