import type { IPv4, Mac } from "@firstlight/wire";

/** Addresses offered a moment ago, so that two machines in one storm are not offered the same one. Bounded; a hint, never a promise. */
export class Holds {
  readonly #by = new Map<IPv4, { readonly mac: Mac; readonly until: number }>();
  readonly #holdMs: number;
  readonly #most: number;

  constructor(holdMs: number, most: number) {
    this.#holdMs = holdMs;
    this.#most = most;
  }

  hold(address: IPv4, mac: Mac, now: number): void {
    this.#by.delete(address);
    this.#by.set(address, { mac, until: now + this.#holdMs });
    for (const [oldest, { until }] of this.#by) {
      if (until > now && this.#by.size <= this.#most) return;
      this.#by.delete(oldest);
    }
  }

  /** Whether somebody else was offered this address and may still ask for it. */
  isHeld(address: IPv4, mac: Mac, now: number): boolean {
    const held = this.#by.get(address);
    return held !== undefined && held.mac !== mac && held.until > now;
  }

  drop(address: IPv4): void {
    this.#by.delete(address);
  }
}
