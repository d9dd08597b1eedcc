import { setTimeout as delay } from "node:timers/promises";
import { type Backoff, backoffMs, type Clock, type Readiness, withTimeout } from "@firstlight/service";
import type { Position } from "./feed.ts";
import { Memory } from "./memory/memory.ts";
import { Tables } from "./memory/tables.ts";
import type { Replica } from "./replica.ts";
import { readSnapshot, saveSnapshot } from "./snapshot.ts";
import { type Loaded, type Pulled, RolledBack, type Source, Unmigrated } from "./source.ts";

/** What a follower says in passing; pino's logger is one. */
export interface FollowerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface ReplicaOptions {
  /** Where the replica is kept on disk; absent: nowhere. */
  readonly snapshotFile?: string;
  readonly log?: FollowerLog;
  /** The feed had a hole: told before everything is loaded anew. */
  readonly onGap?: (at: Position) => void;
  /** What a lost notification costs at most. Default 1 s. */
  readonly pollMs?: number;
  /** How long a start waits for the source before it serves what it has. Default 5 s. */
  readonly startMs?: number;
  /** Default 60 s; a snapshot that takes long to write is written less often. */
  readonly snapshotEveryMs?: number;
  /** Changes asked for at once. Default 1000. */
  readonly batch?: number;
  readonly backoff?: Backoff;
}

/** A replica that keeps itself current until it is stopped. */
export interface Following extends AsyncDisposable {
  readonly replica: Replica;
  readonly follower: { stop(): Promise<void> };
  readonly ready: () => Readiness;
}

const DEFAULTS = {
  pollMs: 1000,
  startMs: 5000,
  snapshotEveryMs: 60_000,
  batch: 1000,
  backoff: { baseMs: 100, maxMs: 5000 },
} as const;

/** A source that has not answered by then is taken for lost, and asked again. */
const ANSWER_MS = 30_000;
/** Beyond this age a follower says that it hears nothing, though nothing has failed yet. */
const QUIET_MS = 10_000;

/**
 * The replica of a source: from its snapshot where there is one, then from the feed. Resolves once it is current, or, when
 * the source cannot be reached, with what the snapshot had (nothing, without one) and goes on trying: ask `ready()`.
 */
export async function createReplica(source: Source, clock: Clock, options: ReplicaOptions = {}): Promise<Following> {
  const memory = new Memory(clock);
  if (options.snapshotFile !== undefined) await restore(memory, options.snapshotFile, clock, options.log);
  const follower = new Follower(memory, source, clock, options);
  await follower.start();
  const stop = (): Promise<void> => follower.stop();
  return { replica: memory, follower: { stop }, ready: () => follower.ready(), [Symbol.asyncDispose]: stop };
}

async function restore(memory: Memory, file: string, clock: Clock, log?: FollowerLog): Promise<void> {
  const began = clock.now();
  const tables = new Tables();
  const snapshot = await readSnapshot(file, (rows) => tables.take(rows));
  if (snapshot.is === "ignored") return log?.info({ file, because: snapshot.because }, "no snapshot used");
  memory.swap(tables, snapshot.heading.at, snapshot.heading.dnsPosition);
  memory.resume(snapshot.heading);
  log?.info({ file, rows: snapshot.heading.rows, ms: clock.now() - began, ...snapshot.heading.at }, "snapshot loaded");
}

type News =
  | { readonly is: "loaded"; readonly tables: Tables; readonly loaded: Loaded }
  | { readonly is: "pulled"; readonly pulled: Pulled }
  | { readonly is: "lost"; readonly cause: unknown };

/** The loop: asks the source, hands what it says to the memory, waits. What follows from a change is not its business. */
class Follower {
  readonly #memory: Memory;
  readonly #source: Source;
  readonly #clock: Clock;
  readonly #options: ReplicaOptions & typeof DEFAULTS;
  readonly #stopping = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #lostAt: number | undefined;
  /** What is wrong with the source, where it says so by name. */
  #wrong: string | undefined;
  #attempt = 0;
  #mustLoad: boolean;
  #saving: Promise<void> | undefined;
  #saved: Position;
  #saveAfter = -Infinity;

  constructor(memory: Memory, source: Source, clock: Clock, options: ReplicaOptions) {
    this.#memory = memory;
    this.#source = source;
    this.#clock = clock;
    this.#options = { ...DEFAULTS, ...options } as ReplicaOptions & typeof DEFAULTS;
    this.#mustLoad = !memory.isLoaded;
    this.#saved = memory.at;
  }

  /** Starts the loop and waits until the replica is current, the source has failed once, or patience ends. */
  async start(): Promise<void> {
    const patience = new AbortController();
    void this.#run(); // a listener's bug rejects it and ends the process, as a bug should
    await Promise.race([
      this.#settled.promise,
      delay(this.#options.startMs, undefined, { signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  /** Ends the loop and writes the last snapshot. What the source still answers is dropped. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#settled.resolve();
    await this.#saving;
    await this.#save();
  }

  ready(): Readiness {
    const stalenessMs = this.#memory.stalenessMs();
    if (!this.#memory.isLoaded) {
      const because = this.#wrong ?? "nothing loaded yet: the database has not been reached";
      return { ready: false, because };
    }
    if (this.#lostAt !== undefined) {
      const wrong = this.#wrong ?? `database away for ${seconds(this.#clock.now() - this.#lostAt)}`;
      const because = `${wrong}, serving the replica`;
      return { ready: true, because, stalenessMs };
    }
    if (stalenessMs <= QUIET_MS) return { ready: true, stalenessMs };
    return {
      ready: true,
      because: `nothing heard of the feed for ${seconds(stalenessMs)}, serving the replica`,
      stalenessMs,
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const asked = this.#clock.now();
      const news = await this.#ask();
      if (signal.aborted) return;
      if (news.is === "lost") await this.#lost(news.cause);
      else if (this.#took(news, asked)) await this.#pause();
    }
  }

  async #ask(): Promise<News> {
    try {
      if (!this.#mustLoad) {
        return {
          is: "pulled",
          pulled: await withTimeout(ANSWER_MS, this.#source.changes(this.#memory.at, this.#options.batch)),
        };
      }
      const loaded = await this.#source.load();
      const tables = new Tables();
      for await (const rows of loaded.rows) {
        if (this.#stopping.signal.aborted) break; // the source closes what it reads from
        tables.take(rows);
      }
      return { is: "loaded", tables, loaded };
    } catch (cause) {
      return { is: "lost", cause };
    }
  }

  /** Whether there is nothing more to ask for now. */
  #took(news: Exclude<News, { is: "lost" }>, asked: number): boolean {
    const { log, onGap } = this.#options;
    if (this.#lostAt !== undefined) log?.info({}, "database is back");
    this.#lostAt = undefined;
    this.#wrong = undefined;
    this.#attempt = 0;
    if (news.is === "loaded") {
      this.#mustLoad = false;
      this.#memory.observe(news.loaded.databaseNow);
      this.#memory.swap(news.tables, news.loaded.at, news.loaded.dnsPosition);
      log?.info({ ...news.loaded.at, rows: news.tables.size, ms: this.#clock.now() - asked }, "replica loaded");
      return false; // what was committed while it loaded comes next
    }
    if (news.pulled.is === "epoch") {
      log?.warn({ from: this.#memory.at, to: news.pulled.now }, "the feed cannot be resumed: loading anew");
      this.#mustLoad = true;
      return false;
    }
    this.#memory.observe(news.pulled.databaseNow);
    if (this.#memory.apply(news.pulled.changes) === "gap") {
      log?.warn({ at: this.#memory.at }, "the feed has a hole: loading anew");
      onGap?.(this.#memory.at);
      this.#mustLoad = true;
      return false;
    }
    if (news.pulled.more) return false;
    this.#memory.complete(asked);
    this.#settled.resolve();
    if (this.#clock.now() >= this.#saveAfter) this.#saving ??= this.#save().finally(() => (this.#saving = undefined));
    return true;
  }

  async #pause(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      await this.#source.wait(this.#options.pollMs, signal);
    } catch {
      await delay(this.#options.pollMs, undefined, { signal }).catch(() => undefined); // the next question tells why
    }
  }

  async #lost(cause: unknown): Promise<void> {
    const wrong = cause instanceof Unmigrated || cause instanceof RolledBack ? cause.message : undefined;
    if (this.#lostAt === undefined || this.#wrong !== wrong)
      this.#options.log?.warn({ err: cause }, `${wrong ?? "database away"}, serving the replica`);
    this.#wrong = wrong;
    this.#lostAt ??= this.#clock.now();
    this.#settled.resolve();
    const ms = backoffMs(this.#attempt++, Math.random(), this.#options.backoff);
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }

  async #save(): Promise<void> {
    const { snapshotFile: file, snapshotEveryMs, log } = this.#options;
    const { at, dnsPosition, completeAt, ahead } = this.#memory;
    if (file === undefined || !this.#memory.isLoaded || at === this.#saved) return;
    const began = this.#clock.now();
    try {
      await saveSnapshot(file, { at, dnsPosition, completeAt, ahead }, this.#memory.rows());
      this.#saved = at;
    } catch (err) {
      log?.warn({ err, file }, "snapshot not written");
    }
    const now = this.#clock.now();
    this.#saveAfter = now + Math.max(snapshotEveryMs, 50 * (now - began));
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
