import type { Address, Mac, Prefix } from "@firstlight/wire";
import type { ClientIdentity } from "../model/identity.ts";
import type { SiteDeclaration } from "../config.ts";
import type { Change, Position } from "../feed/feed.ts";
import type { LeaseRequest, Outcome } from "../model/lease.ts";
import type { Grant, GrantRequest, Pool, PoolEdit } from "../pool/pool.ts";
import type {
  Domain,
  DrainState,
  ExpectedDevice,
  Interface,
  Lease,
  Name,
  PooledField,
  PrefixRow,
  Reservation,
  Segment,
} from "../model/model.ts";

export { Exhausted, Refused } from "../model/refused.ts";

/** The writing side, on PostgreSQL. Every call is one transaction; every changed row leaves one change behind it. */
export interface Store extends AsyncDisposable {
  /** One transaction for the whole batch, one outcome each, in order. Rejects only when the world failed: nothing was promised then. */
  commit(batch: readonly LeaseRequest[], actor: string): Promise<Outcome[]>;

  /** Brings domains, segments, prefixes and expected devices to what the site's file declares. Never removes. */
  declare(site: SiteDeclaration, actor: string): Promise<Declared>;

  createSegment(segment: SegmentEdit, actor: string): Promise<Segment>;
  /** Refused with the exact reason when it would orphan an address. */
  updateSegment(name: string, edit: Partial<SegmentEdit>, actor: string): Promise<Segment>;
  deleteSegment(name: string, actor: string): Promise<void>;
  /** Lets a segment, or one prefix of it, run empty; or takes that back. Draining again changes nothing. */
  drain(name: string, prefix: Prefix | undefined, state: DrainState, actor: string): Promise<Drained>;
  /** Forgets an interface and lays its addresses to rest; says which are preserved for its MAC. */
  deleteInterface(
    segment: string,
    identity: ClientIdentity,
    actor: string,
  ): Promise<{ readonly preserved: readonly string[] }>;
  /** Promises an address to an identity; the other one it had in this family is let go. */
  putReservation(reservation: ReservationEdit, actor: string): Promise<Reservation>;
  deleteReservation(segment: string, address: Address, actor: string): Promise<void>;
  /** Makes a pool or changes its ranges; refused with the value and its owner when one would lose its place. */
  putPool(pool: PoolEdit, actor: string): Promise<void>;
  deletePool(name: string, actor: string): Promise<void>;
  /** In the order of their names, those beyond `after`; at most `limit`. */
  pools(after?: string, limit?: number): Promise<Pool[]>;
  allocate(request: GrantRequest, actor: string): Promise<Grant>;
  /** Only from its owner. */
  release(grant: Pick<Grant, "pool" | "value" | "owner">, actor: string): Promise<void>;
  /** What a pool has given after a value, in the order of the values. */
  grants(pool: string, after: string | undefined, limit: number): Promise<Grant[]>;
  putName(name: Omit<Name, "kind" | "id" | "version">, actor: string): Promise<Name>;
  deleteName(owner: string, type: Name["type"], actor: string): Promise<void>;
  /** Writes what is to come; who is expected on a known segment and was never seen has its interface there from now on. */
  expect(devices: readonly DeviceEdit[], actor: string): Promise<void>;
  /** Takes it back: predictions go, and what was seen belongs to no machine. Refused where one is not expected. */
  unexpect(macs: readonly Mac[], actor: string): Promise<void>;

  /** What the replica may have missed about one client: bounded, coalesced per MAC. */
  lookup(identity: ClientIdentity): Promise<{
    readonly interfaces: readonly Interface[];
    readonly leases: readonly Lease[];
    readonly expected?: ExpectedDevice;
  }>;
  /** Changes after a position, at most `limit`, in order; `epoch` when the reader must reload. */
  changes(
    after: Position,
    limit: number,
  ): Promise<
    { readonly is: "changes"; readonly changes: readonly Change[] } | { readonly is: "epoch"; readonly now: Position }
  >;
}

/** A segment as an operator writes it: names instead of ids, prefixes inside, numbers of its own or from a pool. */
export interface SegmentEdit extends Omit<
  Segment,
  "kind" | "id" | "version" | "domain" | "drainBy" | "fromPools" | PooledField
> {
  readonly domain: string;
  readonly vlan?: number | FromPool | undefined;
  readonly vni?: number | FromPool | undefined;
  readonly asn?: number | FromPool | undefined;
  readonly loopback?: Address | FromPool | undefined;
  readonly prefixes: readonly PrefixEdit[];
}

/** A segment as a drain left it, with all its prefixes. */
export interface Drained {
  readonly segment: Segment;
  readonly prefixes: readonly PrefixRow[];
}

/** What is absent of `pools`, `state` and `reservedRanges` stays as it is. */
export type PrefixEdit = Omit<PrefixRow, "kind" | "id" | "segment" | "vrf" | "version" | "drainBy">;

/** A value of this resource pool; the segment keeps it as long as its setting names the pool. */
export interface FromPool {
  readonly pool: string;
}

/** A reservation as an operator writes it: the segment by name, the identity as `IDENTITY` writes it. */
export interface ReservationEdit extends Omit<Reservation, "kind" | "id" | "version" | "segment" | "vrf" | "origin"> {
  readonly segment: string;
}

/** An expected device as an operator writes it: the segment by name. */
export interface DeviceEdit extends Omit<ExpectedDevice, "kind" | "version" | "segment"> {
  readonly segment?: string;
}

export interface Declared {
  readonly domains: readonly Domain[];
  readonly segments: readonly Segment[];
  /** One line per row created or altered: `segment bmc: mtu 1500 → 9000`. */
  readonly changed: readonly string[];
  /** Declarations that were left out, for example a segment whose pool is exhausted. The rest of the file applies. */
  readonly faults: readonly string[];
}

/** Addresses are compared and stored in this text form. */
export type AddressText = string & { readonly of?: Address };
