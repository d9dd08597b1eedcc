import type { Address } from "@firstlight/wire";
import type { ClientIdentity, Proof } from "../model/identity.ts";
import type { Interface, Lease, PrefixRow, Role, Segment } from "../model/model.ts";
import type { Claimant, Claims } from "./claim.ts";
import type { Parcel } from "./parcel.ts";
import type { Vacancy } from "./vacancy.ts";

/** What allocation asks of a replica. */
export interface Ground extends Claims {
  prefixes(segment: number): readonly PrefixRow[];
  interface(segment: number, identity: ClientIdentity): Interface | undefined;
  interfaceById(id: number): Interface | undefined;
  lease(address: Address, vrf: string): Lease | undefined;
  /** What the interface holds, then what it held, the latest first. */
  leasesOf(interfaceId: number, family: 4 | 6): readonly Lease[];
  /** Which addresses of the parcel come free when, kept beside the rows. */
  vacancy(parcel: Parcel): Vacancy;
}

/** Who asks for what, when. `wanted` also tells the family: IPv4 unless it is IPv6. */
export interface Asked {
  readonly segment: Segment;
  readonly identity: ClientIdentity;
  readonly wanted?: Address | undefined;
  readonly proof?: Proof | undefined;
  /** Addresses on offer to another client at this moment. */
  readonly held?: ((address: Address) => boolean) | undefined;
  /** The database's clock, milliseconds. */
  readonly now: number;
}

/** A question with what is derived from it once, before addresses are looked at. */
export interface Ask extends Asked {
  readonly who: Claimant;
  readonly role: Role;
  /** The segment admits any device, or expects this one. If not, it gets nothing but what is declared for it. */
  readonly isAdmitted: boolean;
}
