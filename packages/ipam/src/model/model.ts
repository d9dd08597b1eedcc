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
import type { SEGMENT_OPTION_FIELDS } from "../fields/segment-option.ts";
import type { PooledField, SEGMENT_FIELDS } from "../fields/segment.ts";

export type { AddressPolicy, DrainState, RecordType, Role, SegmentKind } from "../fields/lists.ts";
export type { AddressRange, RolePool } from "../fields/prefix.ts";
export type { PooledField } from "../fields/segment.ts";

/** The rows of the IPAM, as every reader holds them. Times are milliseconds since the epoch in the database's clock. */
export type Row = Domain | Segment | PrefixRow | Interface | Lease | Name | ExpectedDevice | Reservation;
export type Kind = Row["kind"];

/** What every row carries: a version, bumped under its row lock, so that readers apply only what is newer. */
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
  /** SOA minimum: how long a resolver keeps a "no". Small, because a machine's name appears while it boots. */
  readonly negativeTtlSeconds: number;
}

/** One broadcast domain behind its relays: its settings (`fields/segment.ts`), and what the database adds. */
export interface Segment extends Versioned, RowOf<Omit<typeof SEGMENT_FIELDS, "domain">> {
  readonly kind: "segment";
  readonly id: number;
  readonly domain: number;
  /** Which of its numbers a resource pool gave: the pool's name. */
  readonly fromPools?: Readonly<Partial<Record<PooledField, string>>>;
  /** Up to when the holders of what drains renew, if they have elsewhere to go. */
  readonly drainBy?: number;
  readonly options: SegmentOptions;
}

/** DHCP options of a segment (`fields/segment-option.ts`); what is absent is not sent. Addresses as text. */
export type SegmentOptions = RowOf<typeof SEGMENT_OPTION_FIELDS>;

/** Addresses of a segment: their settings (`fields/prefix.ts`), and what the database adds. */
export interface PrefixRow extends Versioned, RowOf<typeof PREFIX_FIELDS> {
  readonly kind: "prefix";
  readonly id: number;
  readonly segment: number;
  readonly vrf: string;
  /** As a segment's. */
  readonly drainBy?: number;
}

/** A client's identity (a MAC as a rule) seen or expected on a segment. */
export interface Interface extends Versioned {
  readonly kind: "interface";
  readonly id: number;
  readonly segment: number;
  readonly identity: ClientIdentity;
  readonly role: Role;
  /** The machine it belongs to, by name, when known: then it is *referenced* and keeps its address past expiry. */
  readonly machine?: string;
  /** Its own host label, unique in the domain; absent: derived by the segment's `naming`. */
  readonly label?: string;
  readonly identifiedBy: Identification;
  /** `predicted`: not seen here yet. `away`: its device lives on another segment now. Absent: it is at home here. */
  readonly state?: (typeof INTERFACE_STATES)[number];
}

/**
 * An address bound to an interface, or a prefix delegated to it, with the DHCP promise on it. Unique by (vrf, address); no
 * delegated prefix is within another one.
 */
export interface Lease extends Versioned {
  readonly kind: "lease";
  readonly vrf: string;
  /** Of a delegated prefix: its first address. */
  readonly address: Address;
  /** Of a delegated prefix (IA_PD, RFC 8415 §6.3); absent: an address. */
  readonly prefixLength?: number;
  readonly segment: number;
  /** Gone, perhaps: an address rests past the life of its interface. */
  readonly interface: number;
  readonly identity: ClientIdentity;
  /** The client's association that has it (RFC 8415 §12): unsigned 32 bits; absent in IPv4, which has none. */
  readonly iaid?: number;
  readonly policy: AddressPolicy;
  readonly state: (typeof LEASE_STATES)[number];
  readonly startsAt: number;
  /** End of the promise. A `fixed` address without DHCP has none. */
  readonly expiresAt: number;
  /** From here on another interface may get it, unless this one is referenced. */
  readonly reusableAt: number;
  /** What the client calls itself: option 61 of DHCPv4, the DUID of DHCPv6. */
  readonly clientId?: Uint8Array;
  readonly relay?: RelayInfo;
}

/** A declared record. Derived names have no row: they are a function of lease, interface, segment and domain. */
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

/** A device that is to come: written before racking, joined to its interface when its MAC first appears. */
export interface ExpectedDevice extends Versioned {
  readonly kind: "expected";
  readonly mac: Mac;
  readonly machine: string;
  readonly serial?: string;
  readonly role: Role;
  readonly label: string;
  /** A declared address of its own. */
  readonly address?: Address;
  /** Where it is to appear, where that is known. */
  readonly segment?: number;
}

/** An address promised to an identity ahead of any lease, unique in its VRF. */
export interface Reservation extends Versioned {
  readonly kind: "reservation";
  readonly id: number;
  readonly segment: number;
  readonly vrf: string;
  readonly address: Address;
  /** As `identity.ts` writes it: `mac …`, `duid …`, `uuid …`, `client-id …` or `port …`. */
  readonly identity: string;
  /** `preserved`: left by an interface that was deleted. */
  readonly origin: "declared" | "preserved";
}
