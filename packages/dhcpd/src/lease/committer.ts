import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseRequest, Outcome } from "@firstlight/ipam";
import type { Store } from "@firstlight/ipam/store";
import { withTimeout } from "@firstlight/service";

/** A batch with this many requests starts at once. */
const WORTH = 64;

/** The outcome of a request; or `busy`: the queue was full; or `given up`: its client did not wait any more. */
export type Committed = Outcome | { readonly is: "busy" | "given up" };

export interface CommitterOptions {
  readonly store: Pick<Store, "commit">;
  readonly actor: string;
  readonly maxBatch: number;
  readonly maxPending: number;
  /** After this time the database counts as away. What it commits later was not acknowledged to anybody. */
  readonly deadlineMs: number;
  /** The shortest time between the starts of two batches, unless many requests wait. A single request does not wait. */
  readonly gatherMs?: number;
  /** A clock for the duration of batches, in milliseconds. */
  readonly now?: () => number;
  /** Called after each batch. */
  readonly onBatch?: (size: number, startedAt: number) => void;
  /** Called when a batch could not be committed. */
  readonly onFault?: (fault: unknown) => void;
}

interface Entry {
  readonly key: string;
  readonly request: LeaseRequest;
  /** Asked when the request is taken into a batch: its client may have given up. */
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
  /** The last request of each interface: a new request is compared with this one only. */
  readonly #latest = new Map<string, Entry>();
  #isRunning = false;
  #beganAt = -Infinity;
  /** The recent duration of a batch. */
  #batchMs = 0;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** The expected time from the arrival of a new request to its commit. */
  get waitMs(): number {
    return Math.ceil(this.pending / this.#options.maxBatch) * this.#batchMs;
  }

  /**
   * Resolves once the request is durable, refused, `busy` or `given up`. Rejects if the database failed: then acknowledge
   * nothing. A request that is not `isWanted` any more is dropped before its batch, so that a long queue catches up.
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
      queueMicrotask(() => void this.#run()); // all requests of one batch of packets go into one transaction
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

  /** A transaction costs as much as fifteen of its leases: under load it pays to wait a few milliseconds for more requests. */
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
