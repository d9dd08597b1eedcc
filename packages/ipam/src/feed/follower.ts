import { Follower, type FollowerOptions, type Outage } from "@firstlight/changefeed";
import {
  type Backoff,
  backoffMs,
  type Clock,
  type Readiness,
  replicaReadiness,
  withTimeout,
} from "@firstlight/service";
import { Memory } from "../replica/memory/memory.ts";
import type { Replica } from "../replica/replica.ts";
import { readSnapshot, saveSnapshot } from "../replica/snapshot.ts";
import type { Source } from "./source.ts";

export type { FollowerLog } from "@firstlight/changefeed";

export interface ReplicaOptions extends Omit<FollowerOptions, "clock" | "retryMs" | "snapshot"> {
  /** Where the replica is kept on disk; absent: nowhere. */
  readonly snapshotFile?: string;
  /** Whether rows are kept in order, too, for lists: 40 bytes more for an interface with a lease. */
  readonly ordered?: boolean;
  /** How long a start waits for the source before it serves what it has. Default 5 s. */
  readonly startMs?: number;
  readonly backoff?: Backoff;
}

/** A replica that keeps itself current until it is stopped. */
export interface Following extends AsyncDisposable {
  readonly replica: Replica;
  readonly follower: { stop(): Promise<void> };
  readonly ready: () => Readiness;
}

const START_MS = 5000;
const BACKOFF: Backoff = { baseMs: 100, maxMs: 5000 };

/** A source that has not answered by then is taken for lost, and asked again. */
const ANSWER_MS = 30_000;

/**
 * The replica of a source: from its snapshot where there is one, then from the feed. Resolves once it is current, or, when
 * the source cannot be reached, with what the snapshot had (nothing, without one) and goes on trying: ask `ready()`.
 */
export async function createReplica(source: Source, clock: Clock, options: ReplicaOptions = {}): Promise<Following> {
  const { snapshotFile: file, startMs = START_MS, backoff = BACKOFF, ...rest } = options;
  const memory = new Memory(clock, options);
  if (file !== undefined) await restore(memory, file, clock, options.log);
  const follower = new Follower(memory, () => memory.emptyTables(), bounded(source), {
    ...rest,
    clock,
    retryMs: (attempt) => backoffMs(attempt, Math.random(), backoff),
    ...(file !== undefined && { snapshot: { file, save: () => save(memory, file) } }),
  });
  await follower.start(startMs);
  const stop = (): Promise<void> => follower.stop();
  const ready = (): Readiness => readinessOf(memory, follower.outage, clock);
  return { replica: memory, follower: { stop }, ready, [Symbol.asyncDispose]: stop };
}

/** The same source; a pull is rejected after `ANSWER_MS`. */
function bounded(source: Source): Source {
  return {
    load: () => source.load(),
    changes: (after, limit) => withTimeout(ANSWER_MS, source.changes(after, limit)),
    wait: (timeoutMs, signal) => source.wait(timeoutMs, signal),
  };
}

async function restore(memory: Memory, file: string, clock: Clock, log?: ReplicaOptions["log"]): Promise<void> {
  const began = clock.now();
  const tables = memory.emptyTables();
  const snapshot = await readSnapshot(file, (rows) => tables.take(rows));
  if (snapshot.is === "ignored") return log?.info({ file, because: snapshot.because }, "no snapshot used");
  memory.swap(tables, snapshot.heading.at, snapshot.heading.dnsPosition);
  memory.resume(snapshot.heading);
  log?.info({ file, rows: snapshot.heading.rows, ms: clock.now() - began, ...snapshot.heading.at }, "snapshot loaded");
}

function save(memory: Memory, file: string): Promise<void> {
  const { at, dnsPosition, completeAt, ahead } = memory;
  return saveSnapshot(file, { at, dnsPosition, completeAt, ahead }, memory.rows());
}

function readinessOf(memory: Memory, outage: Outage | undefined, clock: Clock): Readiness {
  return replicaReadiness({
    isLoaded: memory.isLoaded,
    stalenessMs: memory.stalenessMs(),
    outage: outage && { lastsMs: clock.now() - outage.since, fault: outage.fault },
  });
}
