import type { Address, Mac, Prefix } from "@firstlight/wire";

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

export type SegmentKind = "underlay" | "admin" | "tenant" | "host_inband";

/** One broadcast domain behind its relays. */
export interface Segment extends Versioned {
  readonly kind: "segment";
  readonly id: number;
  readonly name: string;
  readonly is: SegmentKind;
  readonly domain: number;
  /** Routing context: addresses are unique in it. Underlay segments share `default`. */
  readonly vrf: string;
  readonly mtu: number;
  readonly vlan?: number;
  readonly vni?: number;
  readonly asn?: number;
  /** Of its gateway's router, say; an address outside its prefixes. */
  readonly loopback?: Address;
  /** Which of these four a resource pool gave: its name. */
  readonly fromPools?: Readonly<Partial<Record<PooledField, string>>>;
  /** `draining`: all its prefixes are. Absent: active. */
  readonly state?: DrainState;
  /** Up to when the holders of what drains renew, if they have elsewhere to go. */
  readonly drainBy?: number;
  /** How long that is from the drain's beginning; absent: one lease. */
  readonly drainSeconds?: number;
  readonly leaseSeconds: number;
  /** No address is reused before `expiresAt + graceSeconds`. */
  readonly graceSeconds: number;
  /** `expected`: only devices of the expected list get an address. */
  readonly admission: "open" | "expected";
  /** `dynamic`: placed by hash of the identity. `sequential`: lowest free. `reserved`: only declared addresses. */
  readonly allocation: "dynamic" | "sequential" | "reserved";
  readonly policy: AddressPolicy;
  /**
   * What becomes of a promise that runs here when its device turns up on another segment. `move`: device, machine and name
   * are there from then on. `keep`: they stay here until it is over. `refuse`: the device gets no address there until
   * then. Absent: `keep` where machines are somebody else's (tenant, host_inband), else `move`.
   */
  readonly rehome?: "move" | "keep" | "refuse";
  /**
   * Where names come from: a device's `serial` or `machine`, else its declared label, else the interface's `address` or
   * `mac`. `declared`: what has no label has no name.
   */
  readonly naming: "address" | "mac" | "serial" | "machine" | "declared";
  readonly options: SegmentOptions;
  /** Whether dhcpd offers something to boot here, and in which order transports are preferred is the firmware's choice. */
  readonly boots: boolean;
}

/** What a segment may take from a resource pool. */
export type PooledField = "vlan" | "vni" | "asn" | "loopback";

/** `draining` gives no new address, and lets its holders move on. */
export type DrainState = "active" | "draining";

/** DHCP options of a segment, in the registry's names; what is absent is not sent. Addresses as text. */
export interface SegmentOptions {
  readonly routers?: readonly string[];
  readonly domainNameServers?: readonly string[];
  readonly ntpServers?: readonly string[];
  readonly domainSearch?: readonly string[];
  readonly staticRoutes?: readonly { readonly to: string; readonly via: string }[];
}

export interface PrefixRow extends Versioned {
  readonly kind: "prefix";
  readonly id: number;
  readonly segment: number;
  readonly vrf: string;
  readonly prefix: Prefix;
  readonly gateway?: Address;
  /** Addresses at the head that are never given, the network address included. */
  readonly reserved: number;
  /** Never given: SVIs and the like. */
  readonly excluded: readonly Address[];
  /** Never given either, beyond the head; absent: none. */
  readonly reservedRanges?: readonly AddressRange[];
  /** Ranges for some roles alone, none over another; absent: none. */
  readonly pools?: readonly RolePool[];
  /** Absent: active. */
  readonly state?: DrainState;
  /** As a segment's. */
  readonly drainBy?: number;
}

/** A range for interfaces of these roles: no other gets an address in it, and they get none elsewhere. */
export interface RolePool extends AddressRange {
  readonly roles: readonly Role[];
}

/** Both ends included. */
export interface AddressRange {
  readonly first: Address;
  readonly last: Address;
}

export type Role = "host" | "host_bmc" | "dpu_bmc" | "dpu_oob" | "other";

/** A MAC (or DUID) seen or expected on a segment. */
export interface Interface extends Versioned {
  readonly kind: "interface";
  readonly id: number;
  readonly segment: number;
  readonly mac: Mac;
  readonly role: Role;
  /** The machine it belongs to, by name, when known: then it is *referenced* and keeps its address past expiry. */
  readonly machine?: string;
  /** Its own host label, unique in the domain; absent: derived by the segment's `naming`. */
  readonly label?: string;
  readonly identifiedBy: "expected" | "lease" | "declared";
  /** `predicted`: not seen here yet. `away`: its device lives on another segment now. Absent: it is at home here. */
  readonly state?: "predicted" | "away";
}

/**
 * How long an address stays its interface's. `dynamic`: while promised, and `graceSeconds` more. `fixed`: as long as it is
 * declared for it. `retained`: what it first got, while the interface exists. `preserved`: by MAC, also when the interface
 * is deleted and comes again.
 */
export type AddressPolicy = "dynamic" | "fixed" | "retained" | "preserved";

/** An address bound to an interface, with the DHCP promise on it. Unique by (vrf, address). */
export interface Lease extends Versioned {
  readonly kind: "lease";
  readonly vrf: string;
  readonly address: Address;
  readonly segment: number;
  /** Gone, perhaps: an address rests past the life of its interface. */
  readonly interface: number;
  readonly mac: Mac;
  readonly policy: AddressPolicy;
  readonly state: "bound" | "released" | "declined";
  readonly startsAt: number;
  /** End of the promise. A `fixed` address without DHCP has none. */
  readonly expiresAt: number;
  /** From here on another interface may get it, unless this one is referenced. */
  readonly reusableAt: number;
  readonly clientId?: Uint8Array;
  readonly relay?: RelayInfo;
}

/** What the network proved about where the client is attached. */
export interface RelayInfo {
  readonly giaddr: Address;
  readonly circuitId?: Uint8Array;
  readonly remoteId?: Uint8Array;
}

/** A declared record. Derived names have no row: they are a function of lease, interface, segment and domain. */
export interface Name extends Versioned {
  readonly kind: "name";
  readonly id: number;
  readonly domain: number;
  /** Fully qualified, lower-case, without the final dot. */
  readonly owner: string;
  readonly type: "A" | "AAAA" | "CNAME" | "TXT" | "SRV" | "PTR";
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
  /** As `identity.ts` writes it: `mac …`, `uuid …`, `client-id …` or `port …`. */
  readonly identity: string;
  /** `preserved`: left by an interface that was deleted. */
  readonly origin: "declared" | "preserved";
}
