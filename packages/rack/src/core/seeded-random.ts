/** A pseudo-random number in [0, 2^32), a function of its arguments, so that a failing boot can be replayed. */
export function seededRandom(seed: number, draw: number): number {
  let hash = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(draw + 1, 0xc2b2ae35)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A number in [-1, 1). */
export function seededJitter(seed: number, draw: number): number {
  return seededRandom(seed, draw) / 2 ** 31 - 1;
}
