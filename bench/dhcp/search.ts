/** The highest rate that holds, found from below: a factor up while it holds, then once between the last two. */
export interface Search<Found> {
  readonly start: number;
  readonly factor: number;
  readonly most: number;
  /** One run at this rate; `undefined` when it does not hold. */
  readonly attempt: (rate: number) => Promise<Found | undefined>;
}

export async function highest<Found>({ start, factor, most, attempt }: Search<Found>): Promise<Found | undefined> {
  let rate = start;
  let best = await attempt(rate);
  for (let tries = 0; best === undefined && tries < 4; tries++) best = await attempt((rate /= factor * factor));
  if (best === undefined) return undefined;
  if (rate < start) return best;
  while (rate * factor <= most) {
    const next = await attempt(rate * factor);
    if (next === undefined) return (await attempt(rate * Math.sqrt(factor))) ?? best;
    [best, rate] = [next, rate * factor];
  }
  return best;
}
