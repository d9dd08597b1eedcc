import {
  type Change,
  type Holding,
  type Kind,
  keyOf,
  type Position,
  type Replica,
  type Row,
  type RowChange,
} from "@firstlight/ipam";
import {
  createReplica,
  type Following,
  type Loaded,
  type Pulled,
  type ReplicaOptions,
  type Source,
} from "@firstlight/ipam/replica";
import { ManualClock } from "./clock.ts";

/** A list of rows as a source: what PostgreSQL is to a replica, without it. `push` is a transaction. */
export class MemorySource implements Source {
  /** Set: every question is refused with it, as when the database is away. */
  down: Error | undefined;
  /** Set: no notification is sent; followers notice at their next poll. */
  isSilent = false;
  /** How often everything was loaded. */
  loads = 0;
  epoch = "epoch-1";
  readonly #clock: ManualClock;
  readonly #rows = new Map<string, Row>();
  readonly #versions = new Map<string, number>();
  readonly #changes: Change[] = [];
  #position = 0;
  #dnsPosition = 0;
  #news = Promise.withResolvers<void>();

  constructor(rows: readonly Row[], clock = new ManualClock()) {
    this.#clock = clock;
    for (const row of rows) this.#keep(row);
  }

  get at(): Position {
    return { epoch: this.epoch, position: this.#position };
  }

  /** One transaction: every row as given, its version raised above the last where it is not. `dns` as the store would say. */
  push(...rows: readonly Row[]): RowChange[] {
    const written = new Map<string, Row>(); // a row may be written twice in one transaction
    return this.commit(
      ...rows.map((row) => {
        const before = written.get(full(row)) ?? this.#rows.get(full(row));
        const last = Math.max(before?.version ?? 0, this.#versions.get(full(row)) ?? 0);
        const version = Math.max(row.version, last + 1);
        written.set(full(row), { ...row, version });
        return { kind: row.kind, key: keyOf(row), version, row: { ...row, version }, dns: changesDns(before, row) };
      }),
    );
  }

  /** One transaction that deletes these rows. */
  remove(...rows: readonly Row[]): RowChange[] {
    return this.commit(
      ...rows.map((row) => {
        const version = (this.#versions.get(full(row)) ?? row.version) + 1;
        return { kind: row.kind, key: keyOf(row), version, dns: true };
      }),
    );
  }

  /** Changes exactly as given, at the next positions (or at their own, to make a hole). */
  commit(
    ...changes: readonly (Pick<RowChange, "kind" | "key" | "version" | "dns"> & Partial<RowChange>)[]
  ): RowChange[] {
    const committed = changes.map((change) => {
      const position = change.position ?? this.#position + 1;
      this.#position = position;
      if (change.dns) this.#dnsPosition = position;
      return { is: "row", at: this.#clock.now(), actor: "test", ...change, position } satisfies RowChange;
    });
    for (const change of committed) {
      this.#changes.push(change);
      if (change.row) this.#keep(change.row);
      else {
        this.#rows.delete(`${change.kind} ${change.key}`);
        this.#versions.set(`${change.kind} ${change.key}`, change.version);
      }
    }
    if (!this.isSilent) this.notify();
    return committed;
  }

  /** Another database in the place of this one, as after a restore: other rows, other epoch, positions further on. */
  restore(rows: readonly Row[], epoch = `${this.epoch}+`): void {
    this.epoch = epoch;
    this.#position += 2 ** 20;
    this.#dnsPosition = this.#position;
    this.#changes.length = 0;
    this.#rows.clear();
    this.#versions.clear();
    for (const row of rows) this.#keep(row);
    this.notify();
  }

  /** Wakes who waits. */
  notify(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers<void>();
  }

  load(kinds?: readonly Kind[]): Promise<Loaded> {
    if (this.down) return Promise.reject(this.down);
    this.loads++;
    const rows = [...this.#rows.values()].filter(({ kind }) => kinds?.includes(kind) ?? true);
    const { at } = this;
    return Promise.resolve({
      at,
      dnsPosition: this.#dnsPosition,
      databaseNow: this.#clock.now(),
      rows: inBatches(rows),
    });
  }

  changes(after: Position, limit: number, kinds?: readonly Kind[]): Promise<Pulled> {
    if (this.down) return Promise.reject(this.down);
    if (after.epoch !== this.epoch) return Promise.resolve({ is: "epoch", now: this.at });
    const rest = this.#changes.filter((change) => change.position > after.position);
    const changes = rest.slice(0, limit).map((change) => unreadUnless(change, kinds));
    return Promise.resolve({ is: "changes", changes, databaseNow: this.#clock.now(), more: rest.length > limit });
  }

  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([promise, this.#news.promise]);
    clearTimeout(timer);
  }

  #keep(row: Row): void {
    this.#rows.set(full(row), row);
    this.#versions.set(full(row), row.version);
  }
}

/** A real replica on rows in memory: `site.source.push(lease({ … })); await site.settled();` */
export interface MemorySite<H extends Holding = Holding> extends AsyncDisposable {
  readonly replica: Replica<H>;
  readonly source: MemorySource;
  readonly clock: ManualClock;
  readonly following: Following<H>;
  /** Resolves once the replica has everything the source has. */
  settled(): Promise<void>;
}

export async function siteOf<const H extends Holding = Holding>(
  rows: readonly Row[],
  { clock = new ManualClock(), ...options }: ReplicaOptions<H> & { readonly clock?: ManualClock } = {},
): Promise<MemorySite<H>> {
  const source = new MemorySource(rows, clock);
  const following = await createReplica<H>(source, clock, { backoff: { baseMs: 1, maxMs: 5 }, pollMs: 20, ...options });
  return {
    replica: following.replica,
    source,
    clock,
    following,
    settled: () => caughtUp(following.replica, source),
    [Symbol.asyncDispose]: () => following.follower.stop(),
  };
}

/** Resolves once the replica stands where the source stands. */
export async function caughtUp(replica: Pick<Replica, "at" | "follow">, source: MemorySource): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (replica.at.epoch === source.at.epoch && replica.at.position >= source.at.position) resolve();
  };
  using _following = replica.follow(look);
  look();
  await promise;
}

function full(row: Row): string {
  return `${row.kind} ${keyOf(row)}`;
}

/** The change as a reader of these kinds gets it. */
function unreadUnless(change: Change, kinds?: readonly Kind[]): Change {
  if (change.is !== "row" || !kinds || kinds.includes(change.kind)) return change;
  const { row: _, ...entry } = change;
  return { ...entry, is: "unread" };
}

/** A renewal changes no name. */
function changesDns(before: Row | undefined, row: Row): boolean {
  if (row.kind !== "lease" || before?.kind !== "lease") return true;
  return before.state !== row.state || before.interface !== row.interface || before.identity !== row.identity;
}

async function* inBatches(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += 100) yield await Promise.resolve(rows.slice(at, at + 100));
}
