import { allRecords, recordsAt, type Replica, zonesOf } from "@firstlight/ipam";
import type { RecordText } from "./record.ts";
import { besides, serverRecords } from "./servers.ts";
import { Zones } from "./zones.ts";

export interface EditionOptions {
  /** Seeds the names' hashes; random, once per process. */
  readonly seed: number;
  /** Addresses of the name servers that have none in the IPAM. */
  readonly nsAddresses: readonly string[];
}

/**
 * The zones as the replica declares them at one moment, filled a few owners at a time. An owner that changes meanwhile is
 * noted and put once more before the edition is complete, so that it is then what a build in one go would have made.
 */
export class Edition {
  readonly zones: Zones;
  /** Names with something that could not be served, and why. */
  readonly rejected = new Map<string, string>();
  readonly #replica: Replica;
  readonly #servers: ReadonlyMap<string, readonly RecordText[]>;
  readonly #owners: Iterator<string>;
  readonly #changed = new Set<string>();

  /** `names` is how many are expected: what grows on the way costs turns. */
  constructor(replica: Replica, { seed, nsAddresses }: EditionOptions, names = 0) {
    const declared = zonesOf(replica);
    this.#replica = replica;
    this.#servers = serverRecords(declared, nsAddresses);
    this.zones = new Zones(declared, seed, names);
    for (const { owner, fault } of this.zones.rejected) this.rejected.set(owner, fault);
    this.#owners = this.#fill();
  }

  /** Places up to so many owners; whether it is complete. */
  advance(owners: number): boolean {
    for (let n = 0; n < owners; n++) if (this.#owners.next().done === true) return true;
    return false;
  }

  /** What this owner has now takes the place of what it had. */
  put(owner: string): void {
    this.#put(owner, recordsAt(this.#replica, owner));
  }

  /** This owner has changed and may have been placed before. */
  note(owner: string): void {
    this.#changed.add(owner);
  }

  *#fill(): Generator<string> {
    for (const owner of this.#servers.keys()) {
      this.put(owner);
      yield owner;
    }
    for (const records of allRecords(this.#replica)) {
      const owner = records[0]?.owner;
      if (owner === undefined || this.#servers.has(owner)) continue;
      this.#put(owner, records);
      yield owner;
    }
    for (const owner of this.#changed) {
      this.#changed.delete(owner); // noted again, it comes again
      this.put(owner);
      yield owner;
    }
  }

  #put(owner: string, records: readonly RecordText[]): void {
    const rejected = this.zones.put(owner, besides(this.#servers.get(owner) ?? [], records));
    if (rejected.length > 0) this.rejected.set(owner, rejected.map(({ fault }) => fault).join("; "));
    else if (this.rejected.size > 0) this.rejected.delete(owner);
  }
}
