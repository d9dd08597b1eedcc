import type { Address, Mac, Prefix } from "@firstlight/wire";
import type { Domain, ExpectedDevice, Interface, Lease, Name, Reservation, Row, Segment } from "../../model/model.ts";
import type { LeaseKey, OrderedRows } from "../replica.ts";
import { AddressOrder } from "./address-order.ts";
import { ByName } from "./by-name.ts";
import { Grouped } from "./grouped.ts";
import { Ordered } from "./ordered.ts";

const DIGITS = 16;

/** The tables that hold the rows. */
interface Held {
  lease(address: Address, vrf: string): Lease | undefined;
  interfaceById(id: number): Interface | undefined;
  readonly names: { get(id: number): Name | undefined };
  readonly devices: { get(mac: Mac): ExpectedDevice | undefined };
  readonly reservations: { get(id: number): Reservation | undefined };
}

/** The order of rows in lists, and the number of bound addresses. Each change updates it, so a page reads only its own rows. */
export class RowOrder implements OrderedRows {
  readonly #held: Held;
  readonly #leases = new AddressOrder();
  readonly #leasesOf = new Map<number, AddressOrder>();
  readonly #bound = new AddressOrder();
  readonly #interfaces = new Grouped<number>();
  readonly #names = new Grouped<string>();
  readonly #devices = new Ordered<number>();
  readonly #segments = new ByName<Segment>();
  readonly #domains = new ByName<Domain>();
  readonly #reservations = new Grouped<string>();

  constructor(held: Held) {
    this.#held = held;
  }

  /** A row was added (no `before`), dropped (no `row`) or replaced. */
  change(before: Row | undefined, row: Row | undefined): void {
    if (before?.kind === "lease" && row?.kind === "lease" && isAlike(before, row)) return; // a renewal
    if (before) this.#drop(before);
    if (row) this.#add(row);
  }

  *leases(after?: LeaseKey, segment?: number): Iterable<Lease> {
    const order = segment === undefined ? this.#leases : this.#leasesOf.get(segment);
    for (const { address, vrf } of order?.after(after) ?? []) yield this.#held.lease(address, vrf)!;
  }

  *interfaces(after?: number, segment?: number): Iterable<Interface> {
    for (const id of this.#interfaces.after(after, segment)) yield this.#held.interfaceById(id)!;
  }

  *names(after?: string, domain?: number): Iterable<Name> {
    for (const key of this.#names.after(after, domain)) yield this.#held.names.get(idIn(key))!;
  }

  *devices(after?: number): Iterable<ExpectedDevice> {
    for (const mac of this.#devices.after(after)) yield this.#held.devices.get(mac)!;
  }

  segments(after?: string): Iterable<Segment> {
    return this.#segments.after(after);
  }

  segmentNamed(name: string): Segment | undefined {
    return this.#segments.get(name);
  }

  domains(after?: string): Iterable<Domain> {
    return this.#domains.after(after);
  }

  domainNamed(name: string): Domain | undefined {
    return this.#domains.get(name);
  }

  *reservations(after?: string, segment?: number): Iterable<Reservation> {
    for (const key of this.#reservations.after(after, segment)) yield this.#held.reservations.get(idIn(key))!;
  }

  reservationKey({ vrf, address, id }: Reservation): string {
    const family = typeof address === "number" ? 4 : 6;
    return `${vrf}/${family}/${address.toString(16).padStart(32, "0")} ${String(id).padStart(DIGITS, "0")}`;
  }

  bound(prefix: Prefix, vrf: string): number {
    return this.#bound.count(prefix, vrf);
  }

  nameKey({ owner, type, id }: Name): string {
    return `${owner} ${type} ${String(id).padStart(DIGITS, "0")}`;
  }

  #add(row: Row): void {
    if (row.kind === "lease") this.#addLease(row);
    if (row.kind === "interface") this.#interfaces.add(row.id, row.segment);
    if (row.kind === "name") this.#names.add(this.nameKey(row), row.domain);
    if (row.kind === "expected") this.#devices.add(row.mac);
    if (row.kind === "segment") this.#segments.add(row);
    if (row.kind === "domain") this.#domains.add(row);
    if (row.kind === "reservation") this.#reservations.add(this.reservationKey(row), row.segment);
  }

  #drop(row: Row): void {
    if (row.kind === "lease") this.#dropLease(row);
    if (row.kind === "interface") this.#interfaces.drop(row.id, row.segment);
    if (row.kind === "name") this.#names.drop(this.nameKey(row), row.domain);
    if (row.kind === "expected") this.#devices.drop(row.mac);
    if (row.kind === "segment") this.#segments.drop(row);
    if (row.kind === "domain") this.#domains.drop(row);
    if (row.kind === "reservation") this.#reservations.drop(this.reservationKey(row), row.segment);
  }

  #addLease(row: Lease): void {
    this.#leases.add(row);
    let own = this.#leasesOf.get(row.segment);
    if (!own) this.#leasesOf.set(row.segment, (own = new AddressOrder()));
    own.add(row);
    if (row.state === "bound") this.#bound.add(row);
  }

  #dropLease(row: Lease): void {
    this.#leases.drop(row);
    this.#leasesOf.get(row.segment)?.drop(row);
    if (row.state === "bound") this.#bound.drop(row);
  }
}

function isAlike(before: Lease, row: Lease): boolean {
  return before.segment === row.segment && before.state === row.state;
}

function idIn(key: string): number {
  return Number(key.slice(-DIGITS));
}
