/** Addresses of one prefix by when they come free, in chunks: finds the last free address of a full /12 in microseconds. */

const CHUNK = 256;
/** Offsets beyond this are reached by hash only: an IPv6 /64 never fills. */
export const WINDOW = 2 ** 24;

/**
 * A lower bound per chunk of when its first address comes free (0: never used, ∞: never). Bounds are only a shortcut:
 * a change may lower one at any time, a search that finds a chunk empty raises it to the truth. What a search
 * finds does not depend on them, so replicas with different histories agree. 32 KiB for a /12, 512 KiB for a /8.
 */
export class Vacancy {
  readonly size: number;
  readonly #bounds: Float64Array;

  constructor(size: number) {
    this.size = Math.min(size, WINDOW);
    this.#bounds = new Float64Array(Math.ceil(this.size / CHUNK));
  }

  /** The address at this index may come free at `at`. */
  lower(index: number, at: number): void {
    const chunk = Math.floor(index / CHUNK);
    if (at < this.#bounds[chunk]!) this.#bounds[chunk] = at; // an index outside compares with undefined: false
  }

  /**
   * The first index, from `start` on and round again by chunks, that is free by `until` and passes `fits`. `freeAt` says
   * when an index comes free; it is asked once for each index of a chunk that may hold one.
   */
  find(
    start: number,
    until: number,
    freeAt: (index: number) => number,
    fits: (index: number) => boolean,
  ): number | undefined {
    const chunks = this.#bounds.length;
    const head = Math.floor(start / CHUNK);
    for (let n = 0; n < chunks; n++) {
      const chunk = (head + n) % chunks;
      if (this.#bounds[chunk]! > until) continue;
      const found = this.#search(chunk, until, freeAt, fits);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #search(
    chunk: number,
    until: number,
    freeAt: (i: number) => number,
    fits: (i: number) => boolean,
  ): number | undefined {
    let soonest = Infinity;
    const end = Math.min(this.size, (chunk + 1) * CHUNK);
    for (let index = chunk * CHUNK; index < end; index++) {
      const at = freeAt(index);
      if (at <= until && fits(index)) return index;
      if (at < soonest) soonest = at;
    }
    this.#bounds[chunk] = soonest;
    return undefined;
  }
}
