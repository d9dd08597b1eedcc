import type { Address, Mac } from "@firstlight/wire";
import type { ClientIdentity, RelayInfo } from "./identity.ts";
import type { RowOf } from "../fields/field.ts";
import type {
  AddressPolicy,
  Identification,
  INTERFACE_STATES,
  LEASE_STATES,
  RecordType,
  Role,
} from "../fields/lists.ts";
import type { PREFIX_FIELDS } from "../fields/prefix.ts";
import type { RESERVATION_FIELDS } from "../fields/reservation.ts";
import type { SEGMENT_OPTION_FIELDS } from "../fields/segment-option.ts";
import type { PooledField, SEGMENT_FIELDS } from "../fields/segment.ts";

export type { AddressPolicy, DrainState, RecordType, Role, SegmentKind } from "../fields/lists.ts";
export type { AddressRange, RolePool } from "../fields/prefix.ts";
export type { PooledField } from "../fields/segment.ts";

/** The rows of the IPAM as readers hold them. Times are milliseconds since 1970 in the database's clock. */
export type Row = Domain | Segment | PrefixRow | Interface | Lease | Name | ExpectedDevice | Reservation;
export type Kind = Row["kind"];

/** Every row has a version, raised under the row's lock. Readers apply a row only if it is newer. */
interface Versioned {
  readonly version: number;
}

/** A DNS zone. `name` is lower-case, without the final dot. */
export interface Domain extends Versioned {
  readonly kind: "domain";
  readonly id: number;
  readonly name: string;
  /** Host names of its servers; the first is the SOA's MNAME. Relative names are below `name`. */
  readonly nameServers: readonly string[];
  readonly ttlSeconds: number;
  /** SOA minimum: how long a resolver caches that a name does not exist. Small, because a machine's name appears while it boots. */
  readonly negativeTtlSeconds: number;
}

/** One broadcast domain behind its relays: its settings (`fields/segment.ts`), and the columns that the database adds. */
export interface Segment extends Versioned, RowOf<Omit<typeof SEGMENT_FIELDS, "domain">> {
  readonly kind: "segment";
  readonly id: number;
  readonly domain: number;
  /** For each number that a resource pool gave: the pool's name. */
  readonly fromPools?: Readonly<Partial<Record<PooledField, string>>>;
  /** The time until which leases of a draining prefix or segment are renewed, if there is another place for their holders. */
  readonly drainBy?: number;
  readonly options: SegmentOptions;
}

/** DHCP options of a segment (`fields/segment-option.ts`); an absent option is not sent. Addresses are text. */
export type SegmentOptions = RowOf<typeof SEGMENT_OPTION_FIELDS>;

/** Addresses of a segment: their settings (`fields/prefix.ts`), and the columns that the database adds. */
export interface PrefixRow extends Versioned, RowOf<typeof PREFIX_FIELDS> {
  readonly kind: "prefix";
  readonly id: number;
  readonly segment: number;
  readonly vrf: string;
  /** The same as for a segment. */
  readonly drainBy?: number;
}

/** A client's identity (usually a MAC) that was seen or is expected on a segment. */
export interface Interface extends Versioned {
  readonly kind: "interface";
  readonly id: number;
  readonly segment: number;
  readonly identity: ClientIdentity;
  readonly role: Role;
  /** The name of its machine, if known: the interface is then *referenced* and keeps its address after the lease's end. */
  readonly machine?: string;
  /** Its host label, unique in the domain. Absent: derived by the segment's `naming`. */
  readonly label?: string;
  readonly identifiedBy: Identification;
  /** `predicted`: not seen here yet. `away`: its device is on another segment now. Absent: its device is here. */
  readonly state?: (typeof INTERFACE_STATES)[number];
}

/**
 * An address bound to an interface, or a prefix delegated to it, with its DHCP lease. Unique by (vrf, address); no
 * delegated prefix is within another one.
 */
export interface Lease extends Versioned {
  readonly kind: "lease";
  readonly vrf: string;
  /** For a delegated prefix, its first address. */
  readonly address: Address;
  /** The length of a delegated prefix (IA_PD, RFC 8415 §6.3). Absent: the lease is of an address. */
  readonly prefixLength?: number;
  readonly segment: number;
  /** The interface may be deleted: a quarantine can outlast it. */
  readonly interface: number;
  readonly identity: ClientIdentity;
  /** The IAID of the identity association (RFC 8415 §12): unsigned 32 bits. Absent in IPv4. */
  readonly iaid?: number;
  readonly policy: AddressPolicy;
  readonly state: (typeof LEASE_STATES)[number];
  readonly startsAt: number;
  /** End of the lease. A `fixed` address without DHCP has none. */
  readonly expiresAt: number;
  /** From this time another interface may get the address, unless this interface is referenced. */
  readonly reusableAt: number;
  /** The client identifier: option 61 of DHCPv4, the DUID of DHCPv6. */
  readonly clientId?: Uint8Array;
  readonly relay?: RelayInfo;
}

/** A declared record. Derived names have no row: they follow from lease, interface, segment and domain. */
export interface Name extends Versioned {
  readonly kind: "name";
  readonly id: number;
  readonly domain: number;
  /** Fully qualified, lower-case, without the final dot. */
  readonly owner: string;
  readonly type: RecordType;
  /** Presentation form of the record's data. */
  readonly data: string;
  readonly ttlSeconds: number;
}

/** A declared device: written before racking, joined to its interface when its MAC first appears. */
export interface ExpectedDevice extends Versioned {
  readonly kind: "expected";
  readonly mac: Mac;
  readonly machine: string;
  readonly serial?: string;
  readonly role: Role;
  readonly label: string;
  /** Its declared address. */
  readonly address?: Address;
  /** The segment on which it will appear, if known. */
  readonly segment?: number;
}

/** An address that is set aside for an identity before any lease, unique in its VRF. */
export interface Reservation extends Versioned, RowOf<typeof RESERVATION_FIELDS> {
  readonly kind: "reservation";
  readonly id: number;
  readonly segment: number;
  readonly vrf: string;
  readonly address: Address;
  /** In the form of `identity.ts`: `mac …`, `duid …`, `uuid …`, `client-id …` or `port …`. */
  readonly identity: string;
  /** `preserved`: made when an interface was deleted. */
  readonly origin: "declared" | "preserved";
}
