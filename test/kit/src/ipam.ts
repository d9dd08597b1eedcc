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

/** A source of a replica that keeps its rows in memory instead of PostgreSQL. Each `push`, `remove` or `commit` is one transaction. */
export class MemorySource implements Source {
  /** While set, every call rejects with it, as when the database is away. */
  down: Error | undefined;
  /** While true, no notification is sent; followers see changes at their next poll. */
  isSilent = false;
  /** How often all rows were loaded. */
  loads = 0;
  epoch = "epoch-1";
  readonly #clock: ManualClock;
  readonly #rows = new Map<string, Row>();
  readonly #versions = new Map<string, number>();
  readonly #changes: Change[] = [];
  #position = 0;
  #dnsPosition = 0;
  #changed = Promise.withResolvers<void>();

  constructor(rows: readonly Row[], clock = new ManualClock()) {
    this.#clock = clock;
    for (const row of rows) this.#store(row);
  }

  get at(): Position {
    return { epoch: this.epoch, position: this.#position };
  }

  /** One transaction that writes these rows. A version that is not above the row's last one is raised. `dns` is set as the store sets it. */
  push(...rows: readonly Row[]): RowChange[] {
    const written = new Map<string, Row>(); // a row may be written twice in one transaction
    return this.commit(
      ...rows.map((row) => {
        const before = written.get(keyWithKind(row)) ?? this.#rows.get(keyWithKind(row));
        const last = Math.max(before?.version ?? 0, this.#versions.get(keyWithKind(row)) ?? 0);
        const version = Math.max(row.version, last + 1);
        written.set(keyWithKind(row), { ...row, version });
        return { kind: row.kind, key: keyOf(row), version, row: { ...row, version }, dns: changesDns(before, row) };
      }),
    );
  }

  /** One transaction that deletes these rows. */
  remove(...rows: readonly Row[]): RowChange[] {
    return this.commit(
      ...rows.map((row) => {
        const version = (this.#versions.get(keyWithKind(row)) ?? row.version) + 1;
        return { kind: row.kind, key: keyOf(row), version, dns: true };
      }),
    );
  }

  /** One transaction of exactly these changes, at the next positions, or at their own `position` to make a gap. */
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
      if (change.row) this.#store(change.row);
      else {
        this.#rows.delete(`${change.kind} ${change.key}`);
        this.#versions.set(`${change.kind} ${change.key}`, change.version);
      }
    }
    if (!this.isSilent) this.notify();
    return committed;
  }

  /** Replaces the database, as a restore does: other rows, another epoch, higher positions. */
  restore(rows: readonly Row[], epoch = `${this.epoch}+`): void {
    this.epoch = epoch;
    this.#position += 2 ** 20;
    this.#dnsPosition = this.#position;
    this.#changes.length = 0;
    this.#rows.clear();
    this.#versions.clear();
    for (const row of rows) this.#store(row);
    this.notify();
  }

  /** Wakes waiting followers. */
  notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
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
    await Promise.race([promise, this.#changed.promise]);
    clearTimeout(timer);
  }

  #store(row: Row): void {
    this.#rows.set(keyWithKind(row), row);
    this.#versions.set(keyWithKind(row), row.version);
  }
}

/** A real replica of rows in memory: `site.source.push(lease({ … })); await site.settled();` */
export interface MemorySite<H extends Holding = Holding> extends AsyncDisposable {
  readonly replica: Replica<H>;
  readonly source: MemorySource;
  readonly clock: ManualClock;
  readonly following: Following<H>;
  /** Resolves once the replica has all changes of the source. */
  settled(): Promise<void>;
}

/** A site with these rows. */
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
    settled: () => untilCaughtUp(following.replica, source),
    [Symbol.asyncDispose]: () => following.follower.stop(),
  };
}

/** Resolves once the replica has the source's epoch and position. */
export async function untilCaughtUp(replica: Pick<Replica, "at" | "follow">, source: MemorySource): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = (): void => {
    if (replica.at.epoch === source.at.epoch && replica.at.position >= source.at.position) resolve();
  };
  using _following = replica.follow(check);
  check();
  await promise;
}

function keyWithKind(row: Row): string {
  return `${row.kind} ${keyOf(row)}`;
}

/** The change as a reader of these kinds gets it. */
function unreadUnless(change: Change, kinds?: readonly Kind[]): Change {
  if (change.is !== "row" || !kinds || kinds.includes(change.kind)) return change;
  const { row: _, ...entry } = change;
  return { ...entry, is: "unread" };
}

/** Whether a write changes DNS. A renewal does not. */
function changesDns(before: Row | undefined, row: Row): boolean {
  if (row.kind !== "lease" || before?.kind !== "lease") return true;
  return before.state !== row.state || before.interface !== row.interface || before.identity !== row.identity;
}

async function* inBatches(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let at = 0; at < rows.length; at += 100) yield await Promise.resolve(rows.slice(at, at + 100));
}
