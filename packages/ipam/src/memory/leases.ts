import { type Address, formatAddress } from "@firstlight/wire";
import { readLeaseKey } from "../key.ts";
import type { Lease } from "../model.ts";
import { Many } from "./many.ts";
import { type Rows, Table } from "./table.ts";

/** Leases by VRF and address, and by interface. */
export class Leases implements Rows<Lease> {
  readonly #vrfs = new Map<string, Table<Address, Lease>>();
  readonly #byInterface = new Many<number, Lease>((lease) => lease.interface);

  get(address: Address, vrf: string): Lease | undefined {
    return this.#vrfs.get(vrf)?.get(address);
  }

  /** In every VRF. */
  at(address: Address): Lease[] {
    return [...this.#vrfs.values()].flatMap((table) => table.get(address) ?? []);
  }

  heldBy(interfaceId: number): readonly Lease[] {
    return this.#byInterface.of(interfaceId);
  }

  /** The one it holds, else the one it held last; ties by address, so that every replica says the same. */
  lastOf(interfaceId: number, family: 4 | 6): Lease | undefined {
    const type = family === 4 ? "number" : "bigint";
    let best: Lease | undefined;
    for (const lease of this.heldBy(interfaceId)) {
      if (typeof lease.address === type && (!best || isBetter(lease, best))) best = lease;
    }
    return best;
  }

  like(row: Lease): Lease | undefined {
    return this.get(row.address, row.vrf);
  }

  under(key: string): Lease | undefined {
    const read = readLeaseKey(key);
    return read && this.get(read.address, read.vrf);
  }

  put(row: Lease): Lease | undefined {
    return this.#table(row.vrf).put(row);
  }

  drop(row: Lease): void {
    this.#vrfs.get(row.vrf)?.drop(row);
  }

  *all(): IterableIterator<Lease> {
    for (const table of this.#vrfs.values()) yield* table.all();
  }

  get size(): number {
    let size = 0;
    for (const table of this.#vrfs.values()) size += table.size;
    return size;
  }

  #table(vrf: string): Table<Address, Lease> {
    let table = this.#vrfs.get(vrf);
    if (!table) {
      table = new Table(
        (row) => row.address,
        (key) => readLeaseKey(key)?.address,
        [this.#byInterface],
      );
      this.#vrfs.set(vrf, table);
    }
    return table;
  }
}

function isBetter(a: Lease, b: Lease): boolean {
  if ((a.state === "bound") !== (b.state === "bound")) return a.state === "bound";
  if (a.startsAt !== b.startsAt) return a.startsAt > b.startsAt;
  return formatAddress(a.address) < formatAddress(b.address);
}
