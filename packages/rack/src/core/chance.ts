/** A number in [0, 2^32) from two others, the same on every run: chance that a failing boot can be replayed with. */
export function chance(seed: number, draw: number): number {
  let hash = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(draw + 1, 0xc2b2ae35)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A number in [-1, 1). */
export function swing(seed: number, draw: number): number {
  return chance(seed, draw) / 2 ** 31 - 1;
}
