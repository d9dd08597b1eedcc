import { type Address, formatAddress } from "@firstlight/wire";
import { readLeaseKey } from "../key.ts";
import type { Lease } from "../model.ts";
import { Many } from "./many.ts";
import { type Rows, Table } from "./table.ts";

const NONE: readonly Lease[] = [];

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

  /** What it holds, then what it held, the latest first; ties by address, so that every replica says the same. */
  of(interfaceId: number, family: 4 | 6): readonly Lease[] {
    const held = this.heldBy(interfaceId);
    const type = family === 4 ? "number" : "bigint";
    if (held.length === 1) return typeof held[0]!.address === type ? held : NONE;
    return held.filter((lease) => typeof lease.address === type).toSorted(byRank);
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

function byRank(a: Lease, b: Lease): number {
  if ((a.state === "bound") !== (b.state === "bound")) return a.state === "bound" ? -1 : 1;
  if (a.startsAt !== b.startsAt) return b.startsAt - a.startsAt;
  return formatAddress(a.address) < formatAddress(b.address) ? -1 : 1;
}
