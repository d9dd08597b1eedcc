import { isMalformed } from "@firstlight/wire";
import { type DomainName, type NameText, parseName } from "@firstlight/wire/dns";
import { domainName } from "../../names/domain-name.ts";
import { type Put as PutOf, type Rows, type RowSet, Table, VersionedRows } from "@firstlight/changefeed";
import type { Address, Mac } from "@firstlight/wire";
import type { Ground } from "../../allocation/request.ts";
import { freeAt, windowIndex } from "../../allocation/free.ts";
import { type Parcel, parcelAt } from "../../allocation/parcel.ts";
import { sizeOf } from "../../allocation/placement.ts";
import { Vacancy, WINDOW } from "../../allocation/vacancy.ts";
import type { RowChange } from "../../feed/feed.ts";
import { type ClientIdentity, macOf } from "../../model/identity.ts";
import { keyOf, readId, readMacKey } from "../../model/key.ts";
import type {
  Domain,
  ExpectedDevice,
  Interface,
  Kind,
  Lease,
  Name,
  PrefixRow,
  Reservation,
  Row,
  Segment,
} from "../../model/model.ts";
import { INDEXES, type IndexName } from "../holding.ts";
import { Interfaces } from "./interfaces.ts";
import { slug } from "../../names/naming.ts";
import { Leases } from "./leases.ts";
import { Multimap } from "./multimap.ts";
import { PrefixIndex } from "./prefix-index.ts";
import { RowOrder } from "./row-order.ts";
import { rowOf } from "../../tuples/rows.ts";
import { Tuples } from "../../tuples/tuples.ts";

/** The outcome for one row. */
export type Put = PutOf<Row>;

export interface TablesOptions {
  /** Whether rows are also kept in order. */
  readonly ordered?: boolean;
  /** The indexes that are built. Default: all. */
  readonly indexes?: readonly IndexName[];
}

/** All rows of one epoch, with what is derived from them. */
export class Tables implements Ground, RowSet<Row> {
  readonly routes = new PrefixIndex();
  readonly byOwner = new Multimap<DomainName | NameText, Name>((row) => ownerKey(row.owner));
  readonly byDomain = new Map<number, Map<number, Name>>();
  readonly domainsByName = new Multimap<DomainName, Domain>(domainName);
  readonly #declaredAt = new Multimap<Address, ExpectedDevice>((row) => row.address);
  readonly byMachine = new Multimap<string, ExpectedDevice>((row) => slug(row.machine));
  readonly #reservedAt = new Multimap<Address, Reservation>((row) => row.address);
  readonly #reservedFor = new Multimap<string, Reservation>((row) => `${row.segment} ${row.identity}`);
  /** By prefix and parcel (a fixed share of the prefix). */
  readonly #vacancies = new Map<number, Vacancy[]>();

  readonly leases: Leases;
  readonly domains = new Table<number, Domain>((row) => row.id, readId, [this.domainsByName]);
  readonly segments = new Table<number, Segment>((row) => row.id, readId);
  readonly prefixRows = new Table<number, PrefixRow>((row) => row.id, readId, [this.routes]);
  readonly interfaces: Interfaces;
  readonly names: Table<number, Name>;
  readonly devices = new Table<Mac, ExpectedDevice>((row) => row.mac, readMacKey, [this.#declaredAt, this.byMachine]);
  readonly reservations = new Table<number, Reservation>((row) => row.id, readId, [
    this.#reservedAt,
    this.#reservedFor,
  ]);

  /** In the order of loading: a row's references come before it. */
  readonly #kinds: { readonly [K in Kind]: Rows<Extract<Row, { kind: K }>> };
  /** A new row can only occupy an address; a row that is replaced or dropped may have freed one. */
  readonly #versioned: VersionedRows<Row>;

  /** The rows in order; only if the replica can be listed. */
  readonly order: RowOrder | undefined;

  constructor({ ordered = false, indexes = INDEXES }: TablesOptions = {}) {
    const built = new Set(indexes);
    this.leases = new Leases({ byInterface: built.has("leaseByInterface") });
    this.interfaces = new Interfaces({
      byIdentity: built.has("interfaceByIdentity"),
      byLabel: built.has("interfaceByLabel"),
    });
    this.names = new Table<number, Name>((row) => row.id, readId, [
      ...(built.has("nameByOwner") ? [this.byOwner] : []),
      ...(built.has("nameByDomain") ? [namesByDomain(this.byDomain)] : []),
    ]);
    this.#kinds = {
      domain: this.domains,
      segment: this.segments,
      prefix: this.prefixRows,
      expected: this.devices,
      reservation: this.reservations,
      interface: this.interfaces,
      lease: this.leases,
      name: this.names,
    };
    this.#versioned = new VersionedRows<Row>(this.#kinds, keyOf, (before) => this.#freed(before));
    if (ordered) this.order = new RowOrder(this);
  }

  /** Adds a batch of a first load; the tables hold none of its rows. */
  take(batch: Iterable<Row>): void {
    if (batch instanceof Tuples) this.#fill(batch);
    else for (const row of batch) this.put(row);
  }

  #fill(tuples: Tuples): void {
    const rows = tuples.kind === "interface" ? this.interfaces : this.leases;
    rows.expect(tuples.total);
    const tuple = tuples.read();
    while (tuple.next())
      if (!rows.fill(tuple)) this.put(rowOf(tuples.kind, tuple));
      else if (this.order) this.order.change(undefined, rowOf(tuples.kind, tuple));
  }

  put(row: Row): Put {
    const put = this.#versioned.put(row);
    if (put.is === "applied") this.order?.change(put.before, row);
    return put;
  }

  apply(change: RowChange): Put {
    const put = this.#versioned.apply(change);
    if (put.is === "applied" && (put.before || change.row)) this.order?.change(put.before, change.row);
    return put;
  }

  *all(): IterableIterator<Row> {
    for (const rows of Object.values(this.#kinds)) yield* rows.all();
  }

  /** Every row as of the call, even if changes are applied while the rows are read. One reader at a time. */
  frozen(): Iterable<Row> {
    const { interface: _interfaces, lease: _leases, ...rest } = this.#kinds;
    const small = Object.values(rest).flatMap((rows): Row[] => [...rows.all()]);
    return concatenated(small, this.interfaces.frozen(), this.leases.frozen());
  }

  get size(): number {
    return Object.values(this.#kinds).reduce((sum, rows) => sum + rows.size, 0);
  }

  prefixes(segment: number): readonly PrefixRow[] {
    return this.routes.of(segment);
  }

  interface(segment: number, identity: ClientIdentity): Interface | undefined {
    return this.interfaces.on(segment, identity);
  }

  interfaceById(id: number): Interface | undefined {
    return this.interfaces.get(id);
  }

  expected(identity: ClientIdentity): ExpectedDevice | undefined {
    const mac = macOf(identity);
    return mac === undefined ? undefined : this.devices.get(mac);
  }

  expectedAt(address: Address): ExpectedDevice | undefined {
    return this.#declaredAt.of(address)[0];
  }

  reservedAt(address: Address, vrf: string): Reservation | undefined {
    return this.#reservedAt.of(address).find((row) => row.vrf === vrf);
  }

  reservedFor(segment: number, identity: string): readonly Reservation[] {
    return this.#reservedFor.of(`${segment} ${identity}`);
  }

  lease(address: Address, vrf: string): Lease | undefined {
    return this.leases.get(address, vrf);
  }

  leasesOf(interfaceId: number, family: 4 | 6): readonly Lease[] {
    return this.leases.of(interfaceId, family);
  }

  vacancy({ row, nth, span }: Parcel): Vacancy {
    let vacancies = this.#vacancies.get(row.id);
    if (!vacancies) this.#vacancies.set(row.id, (vacancies = []));
    const size = sizeOf(span);
    return (vacancies[nth] ??= new Vacancy(size > WINDOW ? WINDOW : Number(size)));
  }

  /** Updates the vacancy maps for every address that a change of this row may have freed. */
  #freed(row: Row): void {
    if (this.#vacancies.size === 0) return;
    if (row.kind === "prefix") this.#vacancies.delete(row.id);
    if (row.kind === "lease" || row.kind === "reservation") this.#lower(row.vrf, row.address);
    if (row.kind === "interface") for (const lease of this.leases.heldBy(row.id)) this.#lower(lease.vrf, lease.address);
    if (row.kind === "expected" && row.address !== undefined)
      for (const vrf of this.routes.vrfs()) this.#lower(vrf, row.address);
  }

  #lower(vrf: string, address: Address): void {
    const prefix = this.routes.find(address, vrf);
    const vacancies = prefix && this.#vacancies.get(prefix.id);
    const parcel = vacancies && parcelAt(prefix, address);
    const index = parcel && windowIndex(parcel, address);
    if (index !== undefined) vacancies?.[parcel!.nth]?.lower(index, freeAt(this, vrf, address));
  }
}

function* concatenated(...parts: readonly Iterable<Row>[]): Generator<Row> {
  for (const part of parts) yield* part;
}

/** A name that DNS cannot carry is stored under its text. No name equals a text: names end with a zero octet. */
function ownerKey(owner: NameText): DomainName | NameText {
  const name = parseName(owner);
  return isMalformed(name) ? owner : name;
}

/** A Map of Maps, so that removing one of a million names searches no list. */
function namesByDomain(byDomain: Map<number, Map<number, Name>>) {
  return {
    add(row: Name): void {
      const names = byDomain.get(row.domain);
      if (names) names.set(row.id, row);
      else byDomain.set(row.domain, new Map([[row.id, row]]));
    },
    drop(row: Name): void {
      byDomain.get(row.domain)?.delete(row.id);
    },
  };
}
