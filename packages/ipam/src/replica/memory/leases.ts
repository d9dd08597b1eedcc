import { type Address, formatAddress } from "@firstlight/wire";
import { readLeaseKey } from "../../model/key.ts";
import type { Lease } from "../../model/model.ts";
import type { Tuple } from "../../tuples/tuple.ts";
import { Multimap } from "./multimap.ts";
import { PackedLeases } from "./packed-leases.ts";
import { type Rows, Table } from "@firstlight/changefeed";

const NONE: readonly Lease[] = [];

/** Leases by VRF and address, and by interface. IPv4 leases are packed, others are objects. */
export class Leases implements Rows<Lease> {
  readonly #packed: PackedLeases;
  readonly #vrfs = new Map<string, Table<Address, Lease>>();
  readonly #byInterface = new Multimap<number, Lease>((lease) => lease.interface);

  constructor({ byInterface = true }: { readonly byInterface?: boolean } = {}) {
    this.#packed = new PackedLeases({ byInterface });
  }

  get(address: Address, vrf: string): Lease | undefined {
    const packed = typeof address === "number" ? this.#packed.get(address, vrf) : undefined;
    return packed ?? this.#vrfs.get(vrf)?.get(address);
  }

  /** In all VRFs. */
  at(address: Address): Lease[] {
    const packed = typeof address === "number" ? this.#packed.at(address) : [];
    return [...packed, ...[...this.#vrfs.values()].flatMap((table) => table.get(address) ?? [])];
  }

  heldBy(interfaceId: number): readonly Lease[] {
    const packed = this.#packed.heldBy(interfaceId);
    const plain = this.#byInterface.of(interfaceId);
    return plain.length === 0 ? packed : [...packed, ...plain];
  }

  /** The current leases, then the former ones, the latest first; ties by address, so that replicas agree. */
  of(interfaceId: number, family: 4 | 6): readonly Lease[] {
    const held = this.heldBy(interfaceId);
    if (held.length === 1) return isAddressOf(family, held[0]!) ? held : NONE;
    return held.filter((lease) => isAddressOf(family, lease)).toSorted(byRank);
  }

  /** The delegated prefixes, in the same order. */
  delegatedTo(interfaceId: number): readonly Lease[] {
    return this.#byInterface.of(interfaceId).filter(isDelegated).toSorted(byRank);
  }

  like(row: Lease): Lease | undefined {
    return this.get(row.address, row.vrf);
  }

  under(key: string): Lease | undefined {
    const read = readLeaseKey(key);
    const lease = read && this.get(read.address, read.vrf);
    return lease?.prefixLength === read?.prefixLength ? lease : undefined;
  }

  put(row: Lease): Lease | undefined {
    const before = this.like(row);
    if (PackedLeases.fits(row)) {
      if (this.#vrfs.size > 0 && before) this.#vrfs.get(row.vrf)?.drop(before); // the older row did not fit the columns
      this.#packed.put(row);
    } else {
      if (before) this.drop(before);
      this.#table(row.vrf).put(row);
    }
    return before;
  }

  /** Adds a new lease from its tuple. False: it must be added as a row. */
  fill(tuple: Tuple): boolean {
    return this.#packed.fill(tuple);
  }

  expect(rows: number): void {
    this.#packed.expect(rows);
  }

  drop(row: Lease): void {
    if (typeof row.address === "number") this.#packed.drop(row.address, row.vrf);
    const plain = this.#vrfs.get(row.vrf)?.get(row.address);
    if (plain) this.#vrfs.get(row.vrf)!.drop(plain);
  }

  *all(): IterableIterator<Lease> {
    yield* this.#packed.all();
    for (const table of this.#vrfs.values()) yield* table.all();
  }

  frozen(): Iterable<Lease> {
    const plain = [...this.#vrfs.values()].flatMap((table) => [...table.all()]);
    return both(this.#packed.frozen(), plain);
  }

  get size(): number {
    let size = this.#packed.size;
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

function* both(packed: Iterable<Lease>, plain: Iterable<Lease>): Generator<Lease> {
  yield* packed;
  yield* plain;
}

function isDelegated({ prefixLength }: Lease): boolean {
  return prefixLength !== undefined;
}

function isAddressOf(family: 4 | 6, lease: Lease): boolean {
  return typeof lease.address === (family === 4 ? "number" : "bigint") && !isDelegated(lease);
}

function byRank(a: Lease, b: Lease): number {
  if ((a.state === "bound") !== (b.state === "bound")) return a.state === "bound" ? -1 : 1;
  if (a.startsAt !== b.startsAt) return b.startsAt - a.startsAt;
  return formatAddress(a.address) < formatAddress(b.address) ? -1 : 1;
}
