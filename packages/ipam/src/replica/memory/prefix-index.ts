import { type Address, network } from "@firstlight/wire";
import type { PrefixRow } from "../../model/model.ts";
import type { Index } from "@firstlight/changefeed";

/** Prefixes of each VRF by length. A longest match takes one look-up per length in use (at most 33 or 129). */
export class PrefixIndex implements Index<PrefixRow> {
  readonly #vrfs = new Map<string, { readonly v4: Length[]; readonly v6: Length[] }>();
  readonly #segments = new Map<number, PrefixRow[]>();

  find(address: Address, vrf: string): PrefixRow | undefined {
    const families = this.#vrfs.get(vrf);
    if (!families) return undefined;
    for (const { length, rows } of typeof address === "number" ? families.v4 : families.v6) {
      const row = rows.get(network(address, length));
      if (row) return row;
    }
    return undefined;
  }

  /** A segment's prefixes in the order in which addresses are taken from them: the order of creation. */
  of(segment: number): readonly PrefixRow[] {
    return this.#segments.get(segment) ?? [];
  }

  vrfs(): Iterable<string> {
    return this.#vrfs.keys();
  }

  add(row: PrefixRow): void {
    const lengths = this.#lengths(row);
    let entry = lengths.find(({ length }) => length === row.prefix.length);
    if (!entry) {
      entry = { length: row.prefix.length, rows: new Map() };
      lengths.push(entry);
      lengths.sort((a, b) => b.length - a.length);
    }
    entry.rows.set(row.prefix.address, row);
    const own = [...this.of(row.segment), row].toSorted((a, b) => a.id - b.id);
    this.#segments.set(row.segment, own);
  }

  drop(row: PrefixRow): void {
    const lengths = this.#lengths(row);
    const at = lengths.findIndex(({ length }) => length === row.prefix.length);
    const rows = lengths[at]?.rows;
    if (rows?.get(row.prefix.address) === row) rows.delete(row.prefix.address);
    if (rows?.size === 0) lengths.splice(at, 1);
    const own = this.of(row.segment).filter((other) => other !== row);
    if (own.length > 0) this.#segments.set(row.segment, own);
    else this.#segments.delete(row.segment);
  }

  #lengths(row: PrefixRow): Length[] {
    let families = this.#vrfs.get(row.vrf);
    if (!families) this.#vrfs.set(row.vrf, (families = { v4: [], v6: [] }));
    return typeof row.prefix.address === "number" ? families.v4 : families.v6;
  }
}

interface Length {
  readonly length: number;
  readonly rows: Map<Address, PrefixRow>;
}
