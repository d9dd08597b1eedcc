import type { DomainName, NameText } from "@firstlight/wire/dns";
import type { Address, Mac } from "@firstlight/wire";
import type { Clock } from "@firstlight/service";
import { candidate } from "../allocate.ts";
import { isHeldElsewhere } from "../arrival.ts";
import type { Applied, Change, Position } from "../feed.ts";
import type { Proof } from "../identity.ts";
import type { Domain, ExpectedDevice, Interface, Lease, Name, PrefixRow, Reservation, Row, Segment } from "../model.ts";
import type { Candidate, Followed, Replica } from "../replica.ts";
import type { Bulk } from "../tuples/columns.ts";
import { Tables } from "./tables.ts";

/** Positions of nothing loaded: every source answers it with its epoch. */
export const NOWHERE: Position = { epoch: "", position: 0 };
const NO_NAMES: readonly Name[] = [];

/** The replica in this process's memory. Applying a batch is one synchronous step: a reader sees all of it or nothing. */
export class Memory implements Replica {
  at: Position = NOWHERE;
  dnsPosition = 0;
  #tables = new Tables();
  #completeAt = -Infinity;
  /** Database clock minus ours. */
  #ahead = 0;
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: Followed) => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes the place of everything held: after a load, in a new epoch. */
  swap(tables: Tables, at: Position, dnsPosition: number): void {
    this.#tables = tables;
    this.at = at;
    this.dnsPosition = dnsPosition;
    this.#tell({ is: "reload", at });
  }

  /** Applies what follows `at`; a hole in the positions applies nothing and says so: the caller loads anew. */
  apply(changes: readonly Change[]): "applied" | "gap" {
    const fresh = changes.filter((change) => change.position > this.at.position);
    if (fresh.some((change, n) => change.position !== this.at.position + 1 + n)) return "gap";
    const applied: Applied[] = fresh.map((change) => {
      const put = this.#tables.apply(change);
      return put.is === "applied" && put.before ? { ...change, before: put.before } : change;
    });
    const last = fresh.at(-1);
    if (!last) return "applied";
    this.at = { epoch: this.at.epoch, position: last.position };
    this.dnsPosition = fresh.findLast((change) => change.dns)?.position ?? this.dnsPosition;
    this.#tell({ is: "changes", changes: applied, at: this.at });
    return "applied";
  }

  /** The database said what time it is: between two of our readings, so the earlier keeps rests on the long side. */
  observe(databaseNow: number): void {
    this.#ahead = databaseNow - this.#clock.now();
  }

  /** Nothing committed before `at` (our clock) is missing here. */
  complete(at: number): void {
    this.#completeAt = at;
  }

  /** The clocks of a snapshot, until the database says better. */
  resume({ completeAt, ahead }: { readonly completeAt: number; readonly ahead: number }): void {
    this.#completeAt = completeAt;
    this.#ahead = ahead;
  }

  get completeAt(): number {
    return this.#completeAt;
  }

  get ahead(): number {
    return this.#ahead;
  }

  get isLoaded(): boolean {
    return this.at !== NOWHERE;
  }

  /** Every row as of now, and how many: what is taken slowly stays as it was. */
  rows(): { readonly count: number; readonly most: Record<Bulk, number>; readonly rows: Iterable<Row> } {
    const { size: count, interfaces, leases } = this.#tables;
    return { count, most: { interface: interfaces.size, lease: leases.size }, rows: this.#tables.frozen() };
  }

  stalenessMs(): number {
    return Math.max(0, this.#clock.now() - this.#completeAt);
  }

  databaseNow(): number {
    return this.#clock.now() + this.#ahead;
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

  interface(segment: number, mac: Mac): Interface | undefined {
    return this.#tables.interface(segment, mac);
  }

  interfaceById(id: number): Interface | undefined {
    return this.#tables.interfaceById(id);
  }

  interfacesOf(mac: Mac): readonly Interface[] {
    return this.#tables.interfaces.ofMac(mac);
  }

  labelled(label: string): readonly Interface[] {
    return this.#tables.interfaces.labelled(label);
  }

  expected(mac: Mac): ExpectedDevice | undefined {
    return this.#tables.expected(mac);
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

  candidate(
    segment: Segment,
    mac: Mac,
    wanted?: Address,
    held?: (address: Address) => boolean,
    proof?: Proof,
  ): Candidate {
    if (isHeldElsewhere(this, segment, mac, this.databaseNow()))
      return { is: "none", because: "device holds an address on another segment" };
    return candidate(this.#tables, { segment, mac, wanted, held, proof, now: this.databaseNow() });
  }

  learn(rows: readonly Row[]): void {
    for (const row of rows) this.#tables.put(row);
  }

  follow(listener: (event: Followed) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #tell(event: Followed): void {
    for (const listener of this.#listeners) listener(event);
  }
}
