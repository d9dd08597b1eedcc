import { affectedBy, allRecords, type Followed, recordsAt, type Replica, zonesOf } from "@firstlight/ipam";
import type { RecordText } from "./record.ts";
import { besides, serverRecords } from "./servers.ts";
import { Zones } from "./zones.ts";

export interface AuthorityOptions {
  /** Seeds the names' hashes; random, once per process. */
  readonly seed: number;
  /** Addresses of the name servers that have none in the IPAM. */
  readonly nsAddresses: readonly string[];
}

/**
 * What the site's zones hold, kept as the replica is: each batch of the feed is one step, so that no answer shows half a
 * transaction. A changed name costs its own size; a changed zone costs all of them.
 */
export class Authority {
  zones: Zones;
  /** Names with something that could not be served, and why. */
  readonly rejected = new Map<string, string>();
  readonly #replica: Replica;
  readonly #options: AuthorityOptions;
  #servers: ReadonlyMap<string, readonly RecordText[]> = new Map();

  constructor(replica: Replica, options: AuthorityOptions) {
    this.#replica = replica;
    this.#options = options;
    this.zones = this.#build();
  }

  /** Takes what the replica has just applied. Answers why everything was built anew, if it was. */
  take(event: Followed): string | undefined {
    const affected =
      event.is === "reload"
        ? { is: "zones" as const, because: "replica loaded anew" }
        : affectedBy(this.#replica, event.changes);
    if (affected.is === "zones") {
      this.zones = this.#build();
      return affected.because;
    }
    for (const owner of affected.owners) this.#put(this.zones, owner, recordsAt(this.#replica, owner));
    this.zones.serial = serialOf(this.#replica);
    return undefined;
  }

  #build(): Zones {
    const declared = zonesOf(this.#replica);
    this.#servers = serverRecords(declared, this.#options.nsAddresses);
    this.rejected.clear();
    const zones = new Zones(declared, this.#options.seed);
    for (const { owner, because } of zones.rejected) this.rejected.set(owner, because);
    for (const owner of this.#servers.keys()) this.#put(zones, owner, recordsAt(this.#replica, owner));
    for (const records of allRecords(this.#replica)) {
      const owner = records[0]?.owner;
      if (owner !== undefined && !this.#servers.has(owner)) this.#put(zones, owner, records);
    }
    zones.serial = serialOf(this.#replica);
    return zones;
  }

  #put(zones: Zones, owner: string, records: readonly RecordText[]): void {
    const rejected = zones.put(owner, besides(this.#servers.get(owner) ?? [], records));
    if (rejected.length > 0) this.rejected.set(owner, rejected.map(({ because }) => because).join("; "));
    else if (this.rejected.size > 0) this.rejected.delete(owner);
  }
}

/** The low 32 bits of the feed's position: alike on every replica, and growing as RFC 1982 wants it. */
function serialOf({ dnsPosition }: Replica): number {
  return dnsPosition % 2 ** 32;
}
