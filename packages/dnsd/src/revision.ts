import { allRecords, recordsAt, refusalOf, zonesOf } from "@firstlight/ipam";
import { type DomainName, type NameText, nameText } from "@firstlight/wire/dns";
import type { ServedRecord } from "./record.ts";
import { besides, serverRecords } from "./servers.ts";
import { Zones } from "./zones.ts";
import type { DnsdReplica } from "./holding.ts";

export interface RevisionOptions {
  /** Seeds the names' hashes; random, once per process. */
  readonly seed: number;
  /** Addresses of the name servers that have none in the IPAM. */
  readonly nsAddresses: readonly string[];
}

/**
 * The zones as the replica declares them at one moment, filled a few owners at a time. An owner that changes
 * meanwhile is marked and put once more before the revision is complete: the result is that of a build in one step.
 */
export class ZoneRevision {
  readonly zones: Zones;
  /** Names with records that cannot be served, and the reasons. */
  readonly rejected = new Map<NameText, string>();
  readonly #replica: DnsdReplica;
  readonly #servers: ReadonlyMap<DomainName, readonly ServedRecord[]>;
  readonly #owners: Iterator<DomainName>;
  readonly #changed = new Set<DomainName>();

  /** `names` is how many are expected: a table that grows during the build delays answers. */
  constructor(replica: DnsdReplica, { seed, nsAddresses }: RevisionOptions, names = 0) {
    const declared = zonesOf(replica);
    this.#replica = replica;
    this.#servers = serverRecords(declared, nsAddresses, this.#refuse);
    this.zones = new Zones(declared, seed, names);
    for (const { owner, fault } of this.zones.rejected) this.rejected.set(owner, fault);
    this.#owners = this.#fill();
  }

  /** Places up to this many owners. True: the revision is complete. */
  advance(owners: number): boolean {
    for (let n = 0; n < owners; n++) if (this.#owners.next().done === true) return true;
    return false;
  }

  /** Puts what the replica now has for this owner in place of what was served. */
  put(owner: DomainName): void {
    this.#put(owner, recordsAt(this.#replica, owner));
  }

  /** Checks again whether this declared owner, which DNS cannot carry, still exists. */
  putRefused(owner: NameText): void {
    const because = refusalOf(this.#replica, owner);
    if (because === undefined) this.rejected.delete(owner);
    else this.rejected.set(owner, because);
  }

  /** Marks an owner that has changed, so that it is placed again. */
  markChanged(owner: DomainName): void {
    this.#changed.add(owner);
  }

  *#fill(): Generator<DomainName> {
    for (const owner of this.#servers.keys()) {
      this.put(owner);
      yield owner;
    }
    for (const records of allRecords(this.#replica, this.#refuse)) {
      const owner = records[0]?.owner;
      if (owner === undefined || this.#servers.has(owner)) continue;
      this.#put(owner, records);
      yield owner;
    }
    for (const owner of this.#changed) {
      this.#changed.delete(owner); // a later change marks it again
      this.put(owner);
      yield owner;
    }
  }

  #put(owner: DomainName, records: readonly ServedRecord[]): void {
    const rejected = this.zones.put(owner, besides(this.#servers.get(owner) ?? [], records));
    if (rejected.length > 0) this.rejected.set(nameText(owner), rejected.map(({ fault }) => fault).join("; "));
    else if (this.rejected.size > 0) this.rejected.delete(nameText(owner));
  }

  readonly #refuse = (owner: NameText, fault: string): void => void this.rejected.set(owner, fault);
}
