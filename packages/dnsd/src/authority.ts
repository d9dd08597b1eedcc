import { affectedBy, type Followed, type Replica } from "@firstlight/ipam";
import { Edition, type EditionOptions } from "./edition.ts";
import type { Zones } from "./zones.ts";

/** Somebody who reshapes zones faster than they are built would keep them from ever changing: then it is done in one go. */
const MOST_RESTARTS = 8;

/**
 * What the site's zones hold, kept as the replica is: each batch of the feed is one step, so that no answer shows half a
 * transaction. A changed name costs its own size. A changed zone costs all of them, a few names at a time: until the new
 * edition is complete the old one answers, follows the feed, and keeps its serial.
 */
export class Authority {
  readonly #replica: Replica;
  readonly #options: EditionOptions;
  #current: Edition;
  #next: { readonly edition: Edition; readonly because: string; readonly restarts: number } | undefined;

  constructor(replica: Replica, options: EditionOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#current = new Edition(replica, options);
    this.#current.advance(Infinity); // nobody asks yet
    this.#current.zones.serial = serialOf(replica);
  }

  get zones(): Zones {
    return this.#current.zones;
  }

  /** Names with something that could not be served, and why. */
  get rejected(): ReadonlyMap<string, string> {
    return this.#current.rejected;
  }

  /** Names placed so far in an edition under way; 0 when there is none. */
  get building(): number {
    return this.#next?.edition.zones.names.count ?? 0;
  }

  /** Takes what the replica has just applied; whether there is something to build. */
  take(event: Followed): boolean {
    const affected =
      event.is === "reload"
        ? { is: "zones" as const, because: "replica-reloaded" }
        : affectedBy(this.#replica, event.changes);
    if (affected.is === "zones") {
      const edition = new Edition(this.#replica, this.#options, this.zones.names.count);
      this.#next = { edition, because: affected.because, restarts: (this.#next?.restarts ?? -1) + 1 };
      return true;
    }
    for (const owner of affected.owners) {
      this.#current.put(owner);
      this.#next?.edition.note(owner);
    }
    if (this.#next === undefined) this.zones.serial = serialOf(this.#replica);
    return this.#next !== undefined;
  }

  /** Builds up to so many names; once all are there, they answer, and why they were built is told. */
  advance(owners: number): string | undefined {
    if (this.#next === undefined) return undefined;
    const { edition, because, restarts } = this.#next;
    if (!edition.advance(restarts < MOST_RESTARTS ? owners : Infinity)) return undefined;
    this.#current = edition;
    this.#next = undefined;
    this.zones.serial = serialOf(this.#replica);
    return because;
  }
}

/** The low 32 bits of the feed's position: alike on every replica, and growing as RFC 1982 wants it. */
function serialOf({ dnsPosition }: Replica): number {
  return dnsPosition % 2 ** 32;
}
