import type { IPv4, Mac } from "@firstlight/wire";

interface Hold {
  readonly address: IPv4;
  readonly mac: Mac;
  readonly until: number;
}

/** Addresses that were just offered, so that two clients are not offered the same one. Bounded; a hint, no promise. */
export class OfferHolds {
  readonly #by = new Map<IPv4, Hold>();
  /** Iterates from the oldest hold. A new iterator each time would step over all deleted entries. */
  #inTurn = this.#by.values();
  #oldest: Hold | undefined;
  readonly #holdMs: number;
  readonly #most: number;

  constructor(holdMs: number, most: number) {
    this.#holdMs = holdMs;
    this.#most = most;
  }

  hold(address: IPv4, mac: Mac, now: number): void {
    this.#by.delete(address);
    this.#by.set(address, { address, mac, until: now + this.#holdMs });
    for (let oldest = this.#first(); oldest !== undefined; oldest = this.#first()) {
      if (oldest.until > now && this.#by.size <= this.#most) return;
      this.#by.delete(oldest.address);
    }
  }

  /** Whether another client was offered this address and may still request it. */
  isHeld(address: IPv4, mac: Mac, now: number): boolean {
    const held = this.#by.get(address);
    return held !== undefined && held.mac !== mac && held.until > now;
  }

  drop(address: IPv4): void {
    this.#by.delete(address);
  }

  /** The oldest valid hold; entries that were renewed or dropped are skipped. */
  #first(): Hold | undefined {
    while (this.#oldest === undefined || this.#by.get(this.#oldest.address) !== this.#oldest) {
      const next = this.#inTurn.next();
      if (next.done === true) {
        this.#oldest = undefined;
        this.#inTurn = this.#by.values();
        if (this.#by.size === 0) return undefined;
      } else this.#oldest = next.value;
    }
    return this.#oldest;
  }
}
