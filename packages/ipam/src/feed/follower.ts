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
import type { Kind } from "../model/model.ts";
import { EVERYTHING, type Holding } from "../replica/holding.ts";
import type { Replica } from "../replica/replica.ts";
import { readSnapshot, saveSnapshot } from "../replica/snapshot.ts";
import type { Source } from "./source.ts";

export type { FollowerLog } from "@firstlight/changefeed";

export interface ReplicaOptions<H extends Holding = Holding> extends Omit<
  FollowerOptions,
  "clock" | "retryMs" | "snapshot"
> {
  /** The file of the snapshot. Absent: no snapshot is kept. */
  readonly snapshotFile?: string;
  /** Whether rows are also kept in order, for lists: 40 bytes more for an interface with a lease. */
  readonly ordered?: boolean;
  /** The kinds that are loaded and followed, and the indexes that are built. Default: all. */
  readonly holding?: H;
  /** How long a start waits for the source before it serves the rows that it has. Default 5 s. */
  readonly startMs?: number;
  readonly backoff?: Backoff;
}

/** A replica that keeps itself current until it is stopped. */
export interface Following<H extends Holding = Holding> extends AsyncDisposable {
  readonly replica: Replica<H>;
  readonly follower: { stop(): Promise<void> };
  readonly ready: () => Readiness;
}

const START_MS = 5000;
const BACKOFF: Backoff = { baseMs: 100, maxMs: 5000 };

/** A source that has not answered after this time counts as lost and is asked again. */
const ANSWER_MS = 30_000;

/**
 * The replica of a source: from its snapshot if there is one, then from the feed. Resolves once it is current. If the source
 * cannot be reached, it resolves with the snapshot's rows (or none) and the replica keeps trying: `ready()` tells.
 */
export async function createReplica<H extends Holding = Holding>(
  source: Source,
  clock: Clock,
  options: ReplicaOptions<H> = {},
): Promise<Following<H>> {
  const {
    snapshotFile: file,
    startMs = START_MS,
    backoff = BACKOFF,
    ordered = false,
    holding = EVERYTHING,
    ...rest
  } = options;
  const { kinds, indexes } = holding;
  const memory = new Memory(clock, { ordered, indexes });
  const snapshot = file === undefined ? undefined : { file, kinds };
  if (snapshot) await restore(memory, snapshot, clock, options.log);
  const follower = new Follower(memory, () => memory.emptyTables(), bounded(source, kinds), {
    ...rest,
    clock,
    retryMs: (attempt) => backoffMs(attempt, Math.random(), backoff),
    ...(snapshot && { snapshot: { file: snapshot.file, save: () => save(memory, snapshot) } }),
  });
  await follower.start(startMs);
  const stop = (): Promise<void> => follower.stop();
  const ready = (): Readiness => readinessOf(memory, follower.outage, clock);
  const replica: Replica = memory;
  return { replica, follower: { stop }, ready, [Symbol.asyncDispose]: stop };
}

/** The same source for these kinds; a pull is rejected after `ANSWER_MS`. */
function bounded(source: Source, kinds: readonly Kind[]): Source {
  return {
    load: () => source.load(kinds),
    changes: (after, limit) => withTimeout(ANSWER_MS, source.changes(after, limit, kinds)),
    wait: (timeoutMs, signal) => source.wait(timeoutMs, signal),
  };
}

/** The file of a snapshot and the kinds that it holds. */
interface SnapshotFile {
  readonly file: string;
  readonly kinds: readonly Kind[];
}

async function restore(
  memory: Memory,
  { file, kinds }: SnapshotFile,
  clock: Clock,
  log?: ReplicaOptions["log"],
): Promise<void> {
  const began = clock.now();
  const tables = memory.emptyTables();
  const snapshot = await readSnapshot(file, kinds, (rows) => tables.take(rows));
  if (snapshot.is === "ignored") return log?.info({ file, because: snapshot.because }, "no snapshot used");
  memory.swap(tables, snapshot.heading.at, snapshot.heading.dnsPosition);
  memory.resume(snapshot.heading);
  log?.info({ file, rows: snapshot.heading.rows, ms: clock.now() - began, ...snapshot.heading.at }, "snapshot loaded");
}

function save(memory: Memory, { file, kinds }: SnapshotFile): Promise<void> {
  const { at, dnsPosition, completeAt, ahead } = memory;
  return saveSnapshot(file, { at, dnsPosition, completeAt, ahead }, { kinds, ...memory.rows() });
}

function readinessOf(memory: Memory, outage: Outage | undefined, clock: Clock): Readiness {
  return replicaReadiness({
    isLoaded: memory.isLoaded,
    stalenessMs: memory.stalenessMs(),
    outage: outage && { lastsMs: clock.now() - outage.since, fault: outage.fault },
  });
}
