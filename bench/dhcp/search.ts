/** The highest rate that holds, found from below: a factor up while it holds, then once between the last two. */
export interface Search<Found> {
  readonly start: number;
  readonly factor: number;
  readonly most: number;
  /** One run at this rate; `undefined` when it does not hold. */
  readonly attempt: (rate: number) => Promise<Found | undefined>;
}

/** One pause (a checkpoint, a collection of garbage, somebody else on the core) is no limit: what fails is tried once more. */
export async function highest<Found>({ start, factor, most, attempt }: Search<Found>): Promise<Found | undefined> {
  const twice = async (rate: number): Promise<Found | undefined> => (await attempt(rate)) ?? (await attempt(rate));
  let rate = start;
  let best = await twice(rate);
  for (let tries = 0; best === undefined && tries < 4; tries++) best = await twice((rate /= factor * factor));
  if (best === undefined) return undefined;
  if (rate < start) return best;
  while (rate * factor <= most) {
    const next = await twice(rate * factor);
    if (next === undefined) return (await twice(rate * Math.sqrt(factor))) ?? best;
    [best, rate] = [next, rate * factor];
  }
  return best;
}
