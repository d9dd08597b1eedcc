import type { Change, Followed, Position } from "@firstlight/ipam";

/** The newest changes that the replica applied, so that a reader that keeps up need not query them again. Bounded. */
export class RecentChanges {
  readonly #most: number;
  #epoch = "";
  #changes: Change[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  follow(event: Followed): void {
    if (event.is === "reload" || event.at.epoch !== this.#epoch) this.#changes = [];
    this.#epoch = event.at.epoch;
    if (event.is === "reload") return;
    this.#changes.push(...event.changes);
    if (this.#changes.length > 2 * this.#most) this.#changes = this.#changes.slice(-this.#most);
  }

  /** The changes after a position; empty at the newest one, `undefined` if they are no longer kept. Positions have no gaps. */
  after({ epoch, position }: Position, limit: number): readonly Change[] | undefined {
    const first = this.#changes[0];
    if (first === undefined || epoch !== this.#epoch || first.position > position + 1) return undefined;
    const from = position + 1 - first.position;
    return this.#changes.slice(from, from + limit);
  }
}
