import type { DomainName, NameText } from "@firstlight/wire/dns";
import type { Address, Mac, Prefix } from "@firstlight/wire";
import type { Position, Events } from "../feed/feed.ts";
import type * as feed from "@firstlight/changefeed";
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
  Role,
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
  /** The segment whose prefix holds the address, in a VRF: by relay (giaddr, link selection) or local interface. */
  segmentOf(address: Address, vrf?: string): Segment | undefined;
  prefixes(segment: number): readonly PrefixRow[];
  /** The longest prefix that holds the address, in a VRF. */
  prefixOf(address: Address, vrf?: string): PrefixRow | undefined;
  domain(id: number): Domain | undefined;
  domainNamed(name: DomainName): Domain | undefined;
  domains(): Iterable<Domain>;
  interface(segment: number, identity: ClientIdentity): Interface | undefined;
  interfaceById(id: number): Interface | undefined;
  /** Interfaces of this client on any segment. */
  interfacesOf(identity: ClientIdentity): readonly Interface[];
  /** Interfaces that carry this label of their own, in any domain. */
  labelled(label: string): readonly Interface[];
  expected(identity: ClientIdentity): ExpectedDevice | undefined;
  /** The devices of a machine, by the label made of its name. */
  devicesOf(machine: string): readonly ExpectedDevice[];
  expectedDevices(): Iterable<ExpectedDevice>;
  lease(address: Address, vrf?: string): Lease | undefined;
  /** The address this interface holds or last held in this family, if it has not gone to another. */
  leaseOf(interfaceId: number, family?: 4 | 6): Lease | undefined;
  /** The prefixes that are or were delegated to this interface and have not gone to another; the current ones first. */
  delegatedTo(interfaceId: number): readonly Lease[];
  leases(): Iterable<Lease>;
  /** Leases of this address in every VRF. */
  leasesAt(address: Address): readonly Lease[];
  names(domain: number): Iterable<Name>;
  reservations(): Iterable<Reservation>;
  /** Rows in the order of their keys; kept only where the replica was made with `ordered`, elsewhere asking is a bug. */
  readonly ordered: OrderedRows;
  /** Declared records of this owner. A text finds only an owner that DNS cannot carry; every other one is found by its name. */
  namesAt(owner: DomainName | NameText): readonly Name[];

  /**
   * The address to offer: what its port has, what the interface holds, what is declared for it, `wanted` if free, else a
   * free one by the segment's allocation. A function of identity and replica, so every replica offers alike. Writes nothing.
   */
  candidate(
    segment: Segment,
    identity: ClientIdentity,
    wanted?: Address,
    held?: (address: Address) => boolean,
    proof?: Proof,
  ): Candidate;

  /** Called after each applied batch, in feed order; and once with `reload` after a full load. */
  follow(listener: (event: Followed) => void): Disposable;
}

/** Identity of a lease. */
export type LeaseKey = Pick<Lease, "vrf" | "address">;

/** Rows beyond a key, which need not exist (any more), in the order of the keys: the cost is that of the rows that are read. */
export interface OrderedRows {
  /** By VRF, family and address; of one segment or of all. */
  leases(after?: LeaseKey, segment?: number): Iterable<Lease>;
  /** By id; of one segment or of all. */
  interfaces(after?: number, segment?: number): Iterable<Interface>;
  /** Declared records by `nameKey`; of one domain or of all. */
  names(after?: string, domain?: number): Iterable<Name>;
  /** By MAC. */
  devices(after?: Mac): Iterable<ExpectedDevice>;
  /** How many addresses of a prefix are bound. */
  bound(prefix: Prefix, vrf: string): number;
  /** Owner, type and id of a declared record, as text. */
  nameKey(name: Name): string;
}

export type Candidate =
  | { readonly is: "candidate"; readonly address: Address; readonly prefix: PrefixRow; readonly known: boolean }
  | {
      readonly is: "none";
      readonly because:
        | "segment is full"
        | `pool of ${Role} is full`
        | "segment is draining"
        | "device is not expected here"
        | "device holds an address on another segment"
        | "no prefix of this family";
      /** The pools of the role, all of them full. */
      readonly pools?: readonly RolePool[];
    };

export type Followed = feed.Followed<Row, Events>;
