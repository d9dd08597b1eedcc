import { type Address, type IPv4, type IPv6, last, type Prefix } from "@firstlight/wire";
import type { LeaseKey } from "../replica.ts";
import { Ordered } from "./ordered.ts";

interface Families {
  readonly v4: Ordered<IPv4>;
  readonly v6: Ordered<IPv6>;
}

/** Addresses in order: by VRF, IPv4 before IPv6, then by number. */
export class AddressOrder {
  readonly #names = new Ordered<string>();
  readonly #vrfs = new Map<string, Families>();

  add({ vrf, address }: LeaseKey): void {
    let own = this.#vrfs.get(vrf);
    if (!own) {
      this.#vrfs.set(vrf, (own = { v4: new Ordered(), v6: new Ordered() }));
      this.#names.add(vrf);
    }
    if (typeof address === "number") own.v4.add(address);
    else own.v6.add(address);
  }

  drop({ vrf, address }: LeaseKey): void {
    if (typeof address === "number") this.#vrfs.get(vrf)?.v4.drop(address);
    else this.#vrfs.get(vrf)?.v6.drop(address);
  }

  /** The addresses after this one, or all. */
  *after(key?: LeaseKey): IterableIterator<LeaseKey> {
    if (key) yield* this.#in(key.vrf, key.address);
    for (const vrf of this.#names.after(key?.vrf)) yield* this.#in(vrf);
  }

  *#in(vrf: string, beyond?: Address): IterableIterator<LeaseKey> {
    const own = this.#vrfs.get(vrf);
    if (!own) return;
    if (typeof beyond !== "bigint") for (const address of own.v4.after(beyond)) yield { vrf, address };
    for (const address of own.v6.after(typeof beyond === "bigint" ? beyond : undefined)) yield { vrf, address };
  }

  /** The number of these addresses within a prefix. */
  count(prefix: Prefix, vrf: string): number {
    const own = this.#vrfs.get(vrf);
    if (!own) return 0;
    const end = last(prefix);
    return typeof prefix.address === "number"
      ? own.v4.count(prefix.address, end as IPv4)
      : own.v6.count(prefix.address, end as IPv6);
  }
}
