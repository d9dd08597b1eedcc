import type { GiveBack, Interface, Lease, LeaseRequest, Outcome, Position, Row } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { isAssignable, isDraining, keyOf } from "@firstlight/ipam";
import type { Mac } from "@firstlight/wire";
import type { MemorySite } from "./ipam.ts";

/**
 * The lease methods of the store, on rows in memory that the site's replica follows. It refuses what PostgreSQL's constraints
 * refuse. A test can make it unreachable (`down`) or slow (`gate`).
 */
export class MemoryLeases implements Pick<Store, "commit" | "lookup" | "changes"> {
  /** While set, every call rejects with it, as when the database is away. */
  down: Error | undefined;
  /** While set, commits wait for it. */
  gate: Promise<void> | undefined;
  /** The batches of all commits, in order. */
  readonly batches: (readonly LeaseRequest[])[] = [];
  /** How often a client was looked up. */
  lookups = 0;
  readonly #site: MemorySite;
  readonly #leases = new Map<string, Lease>();
  readonly #interfaces = new Map<string, Interface>();
  #ids = 1000;

  constructor(site: MemorySite, rows: readonly Row[]) {
    this.#site = site;
    for (const row of rows) this.keep(row);
  }

  /** Adds a row to the database only, so that the replica lags behind. */
  keep(row: Row): void {
    if (row.kind === "lease") this.#leases.set(keyOf(row), row);
    if (row.kind === "interface") this.#interfaces.set(`${row.segment}/${row.identity}`, row);
  }

  async commit(batch: readonly LeaseRequest[], actor: string): Promise<Outcome[]> {
    this.batches.push(batch);
    await this.gate;
    if (this.down) throw this.down;
    return batch.map((request) =>
      request.do === "bind" ? this.#bind(request, actor) : this.#giveBack(request, actor),
    );
  }

  lookup(mac: Mac): ReturnType<Store["lookup"]> {
    this.lookups++;
    if (this.down) return Promise.reject(this.down);
    const interfaces = [...this.#interfaces.values()].filter((row) => row.identity === mac);
    return Promise.resolve({ interfaces, leases: [...this.#leases.values()].filter((row) => row.identity === mac) });
  }

  async changes(after: Position, limit: number): ReturnType<Store["changes"]> {
    return this.#site.source.changes(after, limit);
  }

  #bind(request: Extract<LeaseRequest, { do: "bind" }>, actor: string): Outcome {
    const { segment: id, identity: mac, address } = request;
    const { replica, clock } = this.#site;
    const segment = replica.segment(id);
    if (!segment) return { is: "refused", because: "no-such-segment" };
    const prefix = replica.prefixes(id).find((row) => isAssignable(row, address));
    if (!prefix) return { is: "refused", because: "address-not-assignable" };
    const now = clock.now();
    const holder = this.#at(segment.vrf, address);
    if (holder && holder.identity !== mac && holder.state === "bound") {
      return { is: "refused", because: "address-bound-elsewhere" };
    }
    if (holder && holder.identity !== mac && holder.reusableAt > now) {
      return { is: "refused", because: "address-resting" };
    }
    const own = [...this.#leases.values()].find(
      (row) => row.identity === mac && row.segment === id && row.state === "bound",
    );
    const moves = own !== undefined && own.address !== address;
    if (moves && own.policy !== "dynamic") return { is: "refused", because: "interface-holds-another-address" };
    if (isDraining(segment, prefix) && holder?.identity !== mac) return { is: "refused", because: "prefix-draining" };
    const known = this.#interfaces.get(`${id}/${mac}`);
    const device = replica.expected(mac);
    const iface: Interface = known ?? {
      kind: "interface",
      id: ++this.#ids,
      version: 1,
      segment: id,
      identity: mac,
      role: device?.role ?? "other",
      identifiedBy: device ? "expected" : "lease",
      ...(device && { label: device.label, machine: device.machine }),
    };
    const expiresAt = now + request.leaseSeconds * 1000;
    const lease: Lease = {
      kind: "lease",
      version: (holder?.version ?? 0) + 1,
      vrf: segment.vrf,
      address,
      segment: id,
      interface: iface.id,
      identity: mac,
      policy: "dynamic",
      state: "bound",
      startsAt: now,
      expiresAt,
      reusableAt: expiresAt + segment.graceSeconds * 1000,
      ...(request.clientId && { clientId: request.clientId }),
      ...(request.relay && { relay: request.relay }),
    };
    const rows = known ? [lease] : [iface, lease];
    if (moves) rows.push({ ...own, version: own.version + 1, state: "released", expiresAt: now });
    this.#record(actor, request.trace, ...rows);
    return { is: "bound", lease, interface: iface };
  }

  #giveBack({ segment, identity: mac, address, ...request }: GiveBack, actor: string): Outcome {
    const held = this.#at(this.#site.replica.segment(segment)?.vrf ?? "", address);
    if (held === undefined || held.identity !== mac || held.segment !== segment)
      return { is: "refused", because: "no-such-lease" };
    const state = request.do === "release" ? "released" : "declined";
    const now = this.#site.clock.now();
    const lease: Lease = { ...held, version: held.version + 1, state, expiresAt: now, reusableAt: now + 86_400_000 };
    this.#record(actor, request.trace, lease);
    return { is: "givenBack", lease };
  }

  #at(vrf: string, address: Lease["address"]): Lease | undefined {
    return [...this.#leases.values()].find((row) => row.vrf === vrf && row.address === address);
  }

  #record(actor: string, trace: string | undefined, ...rows: readonly (Interface | Lease)[]): void {
    for (const row of rows) this.keep(row);
    this.#site.source.commit(
      ...rows.map((row) => ({
        kind: row.kind,
        key: keyOf(row),
        version: row.version,
        row,
        dns: row.kind === "lease",
        actor,
        ...(trace !== undefined && { trace }),
      })),
    );
  }
}
