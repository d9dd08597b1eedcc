import { setTimeout as delay } from "node:timers/promises";
import type { EventMap, Position, Row } from "./change.ts";
import { SourceFault } from "./fault.ts";
import type { FeedReplica, RowSet } from "./replica.ts";
import type { Loaded, Pulled, Source } from "./source.ts";

/** The log of a follower; pino's logger is one. */
export interface FollowerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface FollowerOptions {
  readonly clock: { now(): number };
  /** How long to wait before the source is asked again after a failure, milliseconds; attempts count from 0. */
  readonly retryMs: (attempt: number) => number;
  readonly log?: FollowerLog;
  /** A position was missing in the feed: called before everything is loaded anew. */
  readonly onGap?: (at: Position) => void;
  /** The longest delay that a lost notification costs. Default 1 s. */
  readonly pollMs?: number;
  /** Changes asked for at once. Default 1000. */
  readonly batch?: number;
  /** The snapshot on disk; `save` writes the replica as of the call. Absent: no snapshot is kept. */
  readonly snapshot?: { readonly file: string; save(): Promise<void> };
  /** Default 60 s; a snapshot that takes long to write is written less often. */
  readonly snapshotEveryMs?: number;
}

/** The source does not answer. */
export interface Outage {
  /** Since when, by the follower's clock. */
  readonly since: number;
  /** The fault that an operator can repair, if the source names it. */
  readonly fault?: string;
}

const POLL_MS = 1000;
const BATCH = 1000;
const SNAPSHOT_EVERY_MS = 60_000;

type Answer<R extends Row, E extends EventMap, S> =
  | { readonly is: "loaded"; readonly rows: S; readonly loaded: Loaded<R> }
  | { readonly is: "pulled"; readonly pulled: Pulled<R, E> }
  | { readonly is: "failed"; readonly cause: unknown };

/** Keeps a replica current: loads, pulls, applies, waits. A failure of the source is an outage, and is tried again. */
export class Follower<R extends Row, E extends EventMap, S extends RowSet<R>> {
  readonly #replica: FeedReplica<R, E, S>;
  readonly #createRows: () => S;
  readonly #source: Source<R, E>;
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #outage: Outage | undefined;
  #attempt = 0;
  #mustLoad: boolean;
  #saving: Promise<void> | undefined;
  #saved: Position;
  #saveAfter = -Infinity;

  /** `createRows` makes the empty set that a load fills. */
  constructor(replica: FeedReplica<R, E, S>, createRows: () => S, source: Source<R, E>, options: FollowerOptions) {
    this.#replica = replica;
    this.#createRows = createRows;
    this.#source = source;
    this.#options = options;
    this.#mustLoad = !replica.isLoaded;
    this.#saved = replica.at;
  }

  /** Starts the loop and waits until the replica is current, the source has failed once, or `startMs` are over. */
  async start(startMs: number): Promise<void> {
    const waiting = new AbortController();
    void this.#run(); // a listener's bug rejects it and ends the process, as a bug should
    const timeout = delay(startMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#settled.promise, timeout]);
    waiting.abort();
  }

  /** Ends the loop and writes the last snapshot. What the source still answers is dropped. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#settled.resolve();
    await this.#saving;
    await this.#save();
  }

  /** Absent while the source answers. */
  get outage(): Outage | undefined {
    return this.#outage;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const asked = this.#options.clock.now();
      const answer = await this.#ask();
      if (signal.aborted) return;
      if (answer.is === "failed") await this.#failed(answer.cause);
      else if (this.#isCurrentAfter(answer, asked)) await this.#pause();
    }
  }

  async #ask(): Promise<Answer<R, E, S>> {
    try {
      if (!this.#mustLoad) {
        const pulled = await this.#source.changes(this.#replica.at, this.#options.batch ?? BATCH);
        return { is: "pulled", pulled };
      }
      const loaded = await this.#source.load();
      const rows = this.#createRows();
      for await (const batch of loaded.rows) {
        if (this.#stopping.signal.aborted) break; // the source closes what it reads from
        rows.take(batch);
      }
      return { is: "loaded", rows, loaded };
    } catch (cause) {
      return { is: "failed", cause };
    }
  }

  /** Applies an answer of the source. True if the replica is current until the next change. */
  #isCurrentAfter(answer: Exclude<Answer<R, E, S>, { is: "failed" }>, asked: number): boolean {
    const { log, onGap, clock } = this.#options;
    if (this.#outage !== undefined) log?.info({}, "database is back");
    this.#outage = undefined;
    this.#attempt = 0;
    if (answer.is === "loaded") {
      const { rows, loaded } = answer;
      this.#mustLoad = false;
      this.#replica.observe(loaded.databaseNow);
      this.#replica.swap(rows, loaded.at, loaded.dnsPosition);
      log?.info({ ...loaded.at, rows: rows.size, ms: clock.now() - asked }, "replica loaded");
      return false; // what was committed while it loaded comes next
    }
    const { pulled } = answer;
    if (pulled.is === "epoch") {
      log?.warn({ from: this.#replica.at, to: pulled.now }, "the feed cannot be resumed: loading anew");
      this.#mustLoad = true;
      return false;
    }
    this.#replica.observe(pulled.databaseNow);
    if (this.#replica.apply(pulled.changes) === "gap") {
      log?.warn({ at: this.#replica.at }, "positions are missing in the feed: loading anew");
      onGap?.(this.#replica.at);
      this.#mustLoad = true;
      return false;
    }
    if (pulled.more) return false;
    this.#replica.complete(asked);
    this.#settled.resolve();
    if (clock.now() >= this.#saveAfter) this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
    return true;
  }

  async #pause(): Promise<void> {
    const { pollMs = POLL_MS } = this.#options;
    const { signal } = this.#stopping;
    try {
      await this.#source.wait(pollMs, signal);
    } catch {
      await delay(pollMs, undefined, { signal }).catch(() => undefined); // the next pull rejects with the cause
    }
  }

  async #failed(cause: unknown): Promise<void> {
    const { log, retryMs, clock } = this.#options;
    const fault = cause instanceof SourceFault ? cause.message : undefined;
    if (this.#outage === undefined || this.#outage.fault !== fault)
      log?.warn({ err: cause }, `${fault ?? "database away"}, serving the replica`);
    this.#outage = { since: this.#outage?.since ?? clock.now(), ...(fault !== undefined && { fault }) };
    this.#settled.resolve();
    await delay(retryMs(this.#attempt++), undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #save(): Promise<void> {
    const { snapshot, snapshotEveryMs = SNAPSHOT_EVERY_MS, log, clock } = this.#options;
    const { at } = this.#replica;
    if (snapshot === undefined || !this.#replica.isLoaded || at === this.#saved) return;
    const began = clock.now();
    try {
      await snapshot.save();
      this.#saved = at;
    } catch (err) {
      log?.warn({ err, file: snapshot.file }, "snapshot not written");
    }
    const now = clock.now();
    this.#saveAfter = now + Math.max(snapshotEveryMs, 50 * (now - began));
  }
}
