import { affectedBy, type Followed } from "@firstlight/ipam";
import { type RevisionOptions, ZoneRevision } from "./revision.ts";
import type { Zones } from "./zones.ts";
import type { DnsdReplica } from "./holding.ts";

/** After this many restarts a build runs in one step; otherwise zones that change fast would never be complete. */
const MOST_RESTARTS = 8;

/**
 * The contents of the site's zones, kept in step with the replica. Each batch of the feed is applied in one step, so that no answer shows
 * half a transaction. A changed name costs its own size. A changed zone rebuilds all zones, a few names at a time: until the
 * new revision is complete, the old one answers, follows the feed, and keeps its serial.
 */
export class Authority {
  readonly #replica: DnsdReplica;
  readonly #options: RevisionOptions;
  #current: ZoneRevision;
  #next: { readonly revision: ZoneRevision; readonly because: string; readonly restarts: number } | undefined;

  constructor(replica: DnsdReplica, options: RevisionOptions) {
    this.#replica = replica;
    this.#options = options;
    this.#current = new ZoneRevision(replica, options);
    this.#current.advance(Infinity); // nothing is served yet
    this.#current.zones.serial = serialOf(replica);
  }

  get zones(): Zones {
    return this.#current.zones;
  }

  /** Names with records that cannot be served, and the reasons. */
  get rejected(): ReadonlyMap<string, string> {
    return this.#current.rejected;
  }

  /** The number of names placed in the revision that is being built; 0 if none is being built. */
  get building(): number {
    return this.#next?.revision.zones.names.count ?? 0;
  }

  /** Applies the changes that the replica has just applied. True: a new revision must be built. */
  take(event: Followed): boolean {
    const affected =
      event.is === "reload"
        ? { is: "zones" as const, because: "replica-reloaded" }
        : affectedBy(this.#replica, event.changes);
    if (affected.is === "zones") {
      const revision = new ZoneRevision(this.#replica, this.#options, this.zones.names.count);
      this.#next = { revision, because: affected.because, restarts: (this.#next?.restarts ?? -1) + 1 };
      return true;
    }
    for (const owner of affected.owners) {
      this.#current.put(owner);
      this.#next?.revision.markChanged(owner);
    }
    for (const owner of affected.refused) {
      this.#current.putRefused(owner);
      this.#next?.revision.putRefused(owner);
    }
    if (this.#next === undefined) this.zones.serial = serialOf(this.#replica);
    return this.#next !== undefined;
  }

  /** Places up to this many owners. When the revision is complete it is served, and the reason for it is returned. */
  advance(owners: number): string | undefined {
    if (this.#next === undefined) return undefined;
    const { revision, because, restarts } = this.#next;
    if (!revision.advance(restarts < MOST_RESTARTS ? owners : Infinity)) return undefined;
    this.#current = revision;
    this.#next = undefined;
    this.zones.serial = serialOf(this.#replica);
    return because;
  }
}

/** The low 32 bits of the feed's position: alike on every replica, and growing as RFC 1982 wants it. */
function serialOf({ dnsPosition }: DnsdReplica): number {
  return dnsPosition % 2 ** 32;
}
