import type { DomainName, NameText } from "@firstlight/wire/dns";
import type { Address, Mac, Prefix } from "@firstlight/wire";
import type { Position, Events } from "../feed/feed.ts";
import type * as feed from "@firstlight/changefeed";
import type { NoOfferReason } from "../policy/reasons.ts";
import type { ClientIdentity, Proof } from "../model/identity.ts";
import type {
  Domain,
  ExpectedDevice,
  Interface,
  Kind,
  Lease,
  Name,
  PrefixRow,
  Reservation,
  RolePool,
  Row,
  Segment,
} from "../model/model.ts";
import type { Holding, IndexName, NEEDS } from "./holding.ts";

/**
 * The copy of the IPAM that a daemon holds in memory and answers from. It loads a consistent snapshot, follows the feed,
 * keeps a copy on disk, from which the daemon starts while the database is away, and knows its own age.
 *
 * A daemon holds only the kinds and indexes that it uses (`Holding`). `Replica<H>` has the methods that need nothing else, so a
 * question about rows that are not held does not compile. `Replica` alone holds everything.
 */
export type Replica<H extends Holding = Holding> = Pick<
  FullReplica,
  Answerable<H["kinds"][number] | H["indexes"][number]>
> & {
  /**
   * Rows that are known before the feed brings them: the outcome of an own commit, the answer of a lookup. A row is applied
   * if it is newer than the one that is held; its change in the feed then changes nothing. Listeners are not called.
   */
  learn(rows: readonly Extract<Row, { kind: H["kinds"][number] }>[]): void;
};

/** The methods that need no more than `Held`. */
type Answerable<Held extends Kind | IndexName> = {
  [M in keyof FullReplica]: M extends keyof typeof NEEDS ? ((typeof NEEDS)[M][number] extends Held ? M : never) : M;
}[keyof FullReplica];

/** The methods of a replica that holds everything. `NEEDS` has a line for each that needs rows. */
interface FullReplica {
  readonly at: Position;
  /** Position of the last change that may alter DNS: low 32 bits are the serial of every zone. */
  readonly dnsPosition: number;
  /** Milliseconds since the feed was last known to be complete. */
  stalenessMs(): number;
  /** The database's clock as estimated here. */
  databaseNow(): number;

  segment(id: number): Segment | undefined;
  segments(): Iterable<Segment>;
  /** The segment of the longest prefix that holds the address, in a VRF. The address is a relay's (giaddr, link selection) or a local interface's. */
  segmentOf(address: Address, vrf?: string): Segment | undefined;
  prefixes(segment: number): readonly PrefixRow[];
  /** The longest prefix that holds the address, in a VRF. */
  prefixOf(address: Address, vrf?: string): PrefixRow | undefined;
  domain(id: number): Domain | undefined;
  domainNamed(name: DomainName): Domain | undefined;
  domains(): Iterable<Domain>;
  interface(segment: number, identity: ClientIdentity): Interface | undefined;
  interfaceById(id: number): Interface | undefined;
  /** Interfaces of this client on all segments. */
  interfacesOf(identity: ClientIdentity): readonly Interface[];
  /** Interfaces with this label, in all domains. */
  labelled(label: string): readonly Interface[];
  expected(identity: ClientIdentity): ExpectedDevice | undefined;
  /** The devices of a machine, by the label made of its name. */
  devicesOf(machine: string): readonly ExpectedDevice[];
  expectedDevices(): Iterable<ExpectedDevice>;
  lease(address: Address, vrf?: string): Lease | undefined;
  /** The address that this interface holds or held last in this family, unless another interface has it now. */
  leaseOf(interfaceId: number, family?: 4 | 6): Lease | undefined;
  /** The prefixes that are or were delegated to this interface, unless another interface has them now; the current ones first. */
  delegatedTo(interfaceId: number): readonly Lease[];
  leases(): Iterable<Lease>;
  /** Leases of this address in every VRF. */
  leasesAt(address: Address): readonly Lease[];
  names(domain: number): Iterable<Name>;
  reservations(): Iterable<Reservation>;
  /** Rows in the order of their keys. Throws unless the replica was made with `ordered`. */
  readonly ordered: OrderedRows;
  /** Declared records of this owner. An owner that DNS cannot carry is found by its text, every other one by its name. */
  namesAt(owner: DomainName | NameText): readonly Name[];

  /**
   * The address to offer: the one of its port, the one that the interface holds, the declared one, `wanted` if it is free, or
   * a free one by the segment's allocation. It depends on identity and rows only, so all replicas offer the same. Writes nothing.
   */
  candidate(
    segment: Segment,
    identity: ClientIdentity,
    wanted?: Address,
    held?: (address: Address) => boolean,
    proof?: Proof,
  ): Candidate;

  /** Calls the listener after each applied batch, in feed order, and with `reload` after a full load. */
  follow(listener: (event: Followed) => void): Disposable;
}

/** Identity of a lease. */
export type LeaseKey = Pick<Lease, "vrf" | "address">;

/** Rows after a key in the order of keys. The key need not exist. Only the rows that are read cost time. */
export interface OrderedRows {
  /** In the order of VRF, family and address; of one segment or of all. */
  leases(after?: LeaseKey, segment?: number): Iterable<Lease>;
  /** In the order of ids; of one segment or of all. */
  interfaces(after?: number, segment?: number): Iterable<Interface>;
  /** Declared records in the order of `nameKey`; of one domain or of all. */
  names(after?: string, domain?: number): Iterable<Name>;
  /** In the order of MACs. */
  devices(after?: Mac): Iterable<ExpectedDevice>;
  /** By name. */
  segments(after?: string): Iterable<Segment>;
  segmentNamed(name: string): Segment | undefined;
  /** By name. */
  domains(after?: string): Iterable<Domain>;
  domainNamed(name: string): Domain | undefined;
  /** By `reservationKey`; of one segment or of all. */
  reservations(after?: string, segment?: number): Iterable<Reservation>;
  /** VRF, address and id of a reservation, as text that sorts as addresses do. */
  reservationKey(reservation: Reservation): string;
  /** How many addresses of a prefix are bound. */
  bound(prefix: Prefix, vrf: string): number;
  /** Owner, type and id of a declared record, as text. */
  nameKey(name: Name): string;
}

export type Candidate =
  | { readonly is: "candidate"; readonly address: Address; readonly prefix: PrefixRow; readonly known: boolean }
  | {
      readonly is: "none";
      readonly because: NoOfferReason;
      /** The pools of the role, all of them full. */
      readonly pools?: readonly RolePool[];
    };

export type Followed = feed.Followed<Row, Events>;
