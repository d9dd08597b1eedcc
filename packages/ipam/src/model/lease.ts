import type { Address } from "@firstlight/wire";
import type { ClientIdentity, RelayInfo } from "./identity.ts";
import type { Interface, Lease } from "./model.ts";
import type { AddressReason } from "../policy/reasons.ts";

/** One lease that dhcpd wants to commit. A batch has at most one per interface: later ones wait for the next batch. */
export type LeaseRequest = Bind | GiveBack;

/** Lease `address` to this identity for `leaseSeconds` of database time: a first lease or a renewal. */
export interface Bind {
  readonly do: "bind";
  readonly segment: number;
  readonly identity: ClientIdentity;
  readonly address: Address;
  /** The association of a DHCPv6 client that may have several. */
  readonly iaid?: number;
  readonly leaseSeconds: number;
  readonly clientId?: Uint8Array;
  readonly relay?: RelayInfo;
  /** Option 97, for reservations by UUID; not stored. */
  readonly uuid?: Uint8Array;
  readonly trace?: string;
}

/** The client released the address, or declined it because another host uses it. Both start a quarantine. */
export interface GiveBack {
  readonly do: "release" | "decline";
  readonly segment: number;
  readonly identity: ClientIdentity;
  readonly address: Address;
  readonly trace?: string;
}

/** The database's outcomes, one per request in the same order. A refused request does not affect the others. */
export type Outcome =
  | { readonly is: "bound"; readonly lease: Lease; readonly interface: Interface }
  | { readonly is: "givenBack"; readonly lease: Lease }
  | { readonly is: "refused"; readonly because: AddressReason };
