import type { Change, Followed, Position } from "@firstlight/ipam";

/** The newest changes as the replica was told them: who keeps up with the feed need not read it a second time. Bounded. */
export class Tail {
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

  /** What follows a position, none where it is the newest; `undefined` when that is not known here. Positions have no gaps. */
  after({ epoch, position }: Position, limit: number): readonly Change[] | undefined {
    const first = this.#changes[0];
    if (first === undefined || epoch !== this.#epoch || first.position > position + 1) return undefined;
    const from = position + 1 - first.position;
    return this.#changes.slice(from, from + limit);
  }
}
