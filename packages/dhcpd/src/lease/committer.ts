import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseRequest, Outcome } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { withTimeout } from "@firstlight/service";

/** So many waiting requests need no more company. */
const WORTH = 64;

/** What became of a request; or that there was no room for it, or that nobody waited for it any more. */
export type Committed = Outcome | { readonly is: "busy" | "given up" };

export interface CommitterOptions {
  readonly store: Pick<Store, "commit">;
  readonly actor: string;
  readonly maxBatch: number;
  readonly maxPending: number;
  /** After this long the database counts as away; what it still commits was never promised. */
  readonly deadlineMs: number;
  /** Batches that follow one another begin at least this far apart, unless many wait. A lone request never waits. */
  readonly gatherMs?: number;
  /** The clock that says how long a batch took, milliseconds. */
  readonly now?: () => number;
  /** Told after each batch. */
  readonly onBatch?: (size: number, startedAt: number) => void;
  /** Told when a batch could not be committed. */
  readonly onFault?: (fault: unknown) => void;
}

interface Entry {
  readonly key: string;
  readonly request: LeaseRequest;
  /** RetransmissionCache when its turn has come: whoever waited may have given up. */
  readonly isWanted: () => boolean;
  readonly settled: PromiseWithResolvers<Committed>;
}

/**
 * Group commit: one transaction under way, while the next batch forms. A batch holds one request per interface; the
 * same request sent again shares the first one's outcome. Nothing is acknowledged before `submit` resolves.
 */
export class Committer {
  readonly #options: CommitterOptions;
  #queue: Entry[] = [];
  #inFlight: readonly Entry[] = [];
  /** The last request of each interface: only with that one may a new one be the same. */
  readonly #latest = new Map<string, Entry>();
  #isRunning = false;
  #beganAt = -Infinity;
  /** What a batch takes of late. */
  #batchMs = 0;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** How long a request that came now would probably wait for its turn and its commit. */
  get waitMs(): number {
    return Math.ceil(this.pending / this.#options.maxBatch) * this.#batchMs;
  }

  /**
   * Resolves once the request is durable, or refused, `busy` or `given up`. Rejects when the world failed: promise
   * nothing. What is not `isWanted` any more when its turn comes is let go, so that a late queue catches up.
   */
  submit(request: LeaseRequest, isWanted = always): Promise<Committed> {
    const key = `${request.segment}/${request.identity}`;
    const latest = this.#latest.get(key);
    if (latest?.request.do === request.do && latest.request.address === request.address) return latest.settled.promise;
    if (this.pending >= this.#options.maxPending) return Promise.resolve({ is: "busy" });
    const entry: Entry = { key, request, isWanted, settled: Promise.withResolvers() };
    this.#queue.push(entry);
    this.#latest.set(key, entry);
    if (!this.#isRunning) {
      this.#isRunning = true;
      queueMicrotask(() => void this.#run()); // what one batch of packets asks for goes together
    }
    return entry.settled.promise;
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather();
      this.#inFlight = this.#nextBatch();
      if (this.#inFlight.length > 0) await this.#commit(this.#inFlight);
      for (const entry of this.#inFlight) if (this.#latest.get(entry.key) === entry) this.#latest.delete(entry.key);
      this.#inFlight = [];
    }
    this.#isRunning = false;
  }

  /** A transaction costs as much as fifteen of its leases: under load a few milliseconds of company are worth it. */
  async #gather(): Promise<void> {
    const { gatherMs = 0 } = this.#options;
    const leftMs = this.#beganAt + gatherMs - performance.now();
    if (leftMs > 0 && this.#queue.length < WORTH) await sleep(leftMs, undefined, { ref: false });
    this.#beganAt = performance.now();
  }

  async #commit(batch: readonly Entry[]): Promise<void> {
    const { store, actor, deadlineMs, onBatch, onFault, now = monotonic } = this.#options;
    const startedAt = performance.now();
    const before = now();
    try {
      const requests = batch.map(({ request }) => request);
      const outcomes = await withTimeout(deadlineMs, store.commit(requests, actor));
      for (const [i, entry] of batch.entries()) entry.settled.resolve(outcomes[i]!);
    } catch (fault) {
      onFault?.(fault);
      for (const entry of batch) entry.settled.reject(fault);
    }
    this.#batchMs += (now() - before - this.#batchMs) / 4;
    onBatch?.(batch.length, startedAt);
  }

  /** The oldest requests, at most one per interface; the others keep their order for the next batch. */
  #nextBatch(): Entry[] {
    const batch = new Map<string, Entry>();
    const rest: Entry[] = [];
    for (const entry of this.#queue) {
      if (batch.size >= this.#options.maxBatch || batch.has(entry.key)) rest.push(entry);
      else if (entry.isWanted()) batch.set(entry.key, entry);
      else this.#letGo(entry);
    }
    this.#queue = rest;
    return [...batch.values()];
  }

  #letGo(entry: Entry): void {
    if (this.#latest.get(entry.key) === entry) this.#latest.delete(entry.key);
    entry.settled.resolve({ is: "given up" });
  }
}

const always = (): boolean => true;
const monotonic = (): number => performance.now();
