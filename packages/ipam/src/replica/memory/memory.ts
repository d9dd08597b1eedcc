import type { DomainName, NameText } from "@firstlight/wire/dns";
import { FeedReplica } from "@firstlight/changefeed";
import type { Address } from "@firstlight/wire";
import assert from "node:assert/strict";
import type { Clock } from "@firstlight/service";
import { candidate } from "../../allocation/allocate.ts";
import { isHeldElsewhere } from "../../policy/relocation.ts";
import type { Events, Position } from "../../feed/feed.ts";
import type { ClientIdentity, Proof } from "../../model/identity.ts";
import type {
  Domain,
  ExpectedDevice,
  Interface,
  Lease,
  Name,
  PrefixRow,
  Reservation,
  Row,
  Segment,
} from "../../model/model.ts";
import type { Candidate, OrderedRows, Replica } from "../replica.ts";
import type { Bulk } from "../../tuples/columns.ts";
import { Tables, type TablesOptions } from "./tables.ts";

const NO_NAMES: readonly Name[] = [];

/** The replica in this process's memory: its rows and the methods of `Replica`. It has all methods; its type in a daemon has fewer. */
export class Memory extends FeedReplica<Row, Events, Tables> implements Replica {
  #tables: Tables;
  readonly #options: TablesOptions;

  constructor(clock: Clock, options: TablesOptions = {}) {
    const tables = new Tables(options);
    super(clock, tables);
    this.#options = options;
    this.#tables = tables;
  }

  /** Empty tables for a load, with the same indexes and order. */
  emptyTables(): Tables {
    return new Tables(this.#options);
  }

  override swap(tables: Tables, at: Position, dnsPosition: number): void {
    this.#tables = tables; // before the listeners are called
    super.swap(tables, at, dnsPosition);
  }

  /** Every row as of the call, and their number. */
  rows(): { readonly count: number; readonly totals: Record<Bulk, number>; readonly rows: Iterable<Row> } {
    const { size: count, interfaces, leases } = this.#tables;
    return { count, totals: { interface: interfaces.size, lease: leases.size }, rows: this.#tables.frozen() };
  }

  segment(id: number): Segment | undefined {
    return this.#tables.segments.get(id);
  }

  segments(): Iterable<Segment> {
    return this.#tables.segments.all();
  }

  segmentOf(address: Address, vrf = "default"): Segment | undefined {
    const prefix = this.prefixOf(address, vrf);
    return prefix && this.segment(prefix.segment);
  }

  prefixes(segment: number): readonly PrefixRow[] {
    return this.#tables.prefixes(segment);
  }

  prefixOf(address: Address, vrf = "default"): PrefixRow | undefined {
    return this.#tables.routes.find(address, vrf);
  }

  domain(id: number): Domain | undefined {
    return this.#tables.domains.get(id);
  }

  domainNamed(name: DomainName): Domain | undefined {
    return this.#tables.domainsByName.of(name)[0];
  }

  domains(): Iterable<Domain> {
    return this.#tables.domains.all();
  }

  interface(segment: number, identity: ClientIdentity): Interface | undefined {
    return this.#tables.interface(segment, identity);
  }

  interfaceById(id: number): Interface | undefined {
    return this.#tables.interfaceById(id);
  }

  interfacesOf(identity: ClientIdentity): readonly Interface[] {
    return this.#tables.interfaces.of(identity);
  }

  labelled(label: string): readonly Interface[] {
    return this.#tables.interfaces.labelled(label);
  }

  expected(identity: ClientIdentity): ExpectedDevice | undefined {
    return this.#tables.expected(identity);
  }

  devicesOf(machine: string): readonly ExpectedDevice[] {
    return this.#tables.byMachine.of(machine);
  }

  expectedDevices(): Iterable<ExpectedDevice> {
    return this.#tables.devices.all();
  }

  lease(address: Address, vrf = "default"): Lease | undefined {
    return this.#tables.lease(address, vrf);
  }

  leaseOf(interfaceId: number, family: 4 | 6 = 4): Lease | undefined {
    return this.#tables.leasesOf(interfaceId, family)[0];
  }

  delegatedTo(interfaceId: number): readonly Lease[] {
    return this.#tables.leases.delegatedTo(interfaceId);
  }

  leases(): Iterable<Lease> {
    return this.#tables.leases.all();
  }

  leasesAt(address: Address): readonly Lease[] {
    return this.#tables.leases.at(address);
  }

  names(domain: number): Iterable<Name> {
    return this.#tables.byDomain.get(domain)?.values() ?? NO_NAMES;
  }

  namesAt(owner: DomainName | NameText): readonly Name[] {
    return this.#tables.byOwner.of(owner);
  }

  reservations(): Iterable<Reservation> {
    return this.#tables.reservations.all();
  }

  get ordered(): OrderedRows {
    const { order } = this.#tables;
    assert.ok(order, "the replica was made without `ordered`");
    return order;
  }

  candidate(
    segment: Segment,
    identity: ClientIdentity,
    wanted?: Address,
    held?: (address: Address) => boolean,
    proof?: Proof,
  ): Candidate {
    if (isHeldElsewhere(this, segment, identity, this.databaseNow()))
      return { is: "none", because: "device-on-another-segment" };
    return candidate(this.#tables, { segment, identity, wanted, held, proof, now: this.databaseNow() });
  }

  learn(rows: readonly Row[]): void {
    for (const row of rows) this.#tables.put(row);
  }
}
