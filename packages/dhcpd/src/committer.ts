import { setTimeout as sleep } from "node:timers/promises";
import type { LeaseRequest, Outcome, Store } from "@firstlight/ipam";
import { within } from "@firstlight/service";

/** So many waiting requests need no more company. */
const WORTH = 64;

/** What became of a request, or that there was no room for it. */
export type Committed = Outcome | { readonly is: "busy" };

export interface CommitterOptions {
  readonly store: Pick<Store, "commit">;
  readonly actor: string;
  readonly maxBatch: number;
  readonly maxPending: number;
  /** After this long the database counts as away; what it still commits was never promised. */
  readonly deadlineMs: number;
  /** Batches that follow one another begin at least this far apart, unless many wait. A lone request never waits. */
  readonly gatherMs?: number;
  /** Told after each batch. */
  readonly onBatch?: (size: number, startedAt: number) => void;
  /** Told when a batch could not be committed. */
  readonly onFault?: (fault: unknown) => void;
}

interface Entry {
  readonly key: string;
  readonly request: LeaseRequest;
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

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** Resolves once the request is durable, or refused, or `busy`. Rejects when the world failed: promise nothing. */
  submit(request: LeaseRequest): Promise<Committed> {
    const key = `${request.segment}/${request.mac}`;
    const latest = this.#latest.get(key);
    if (latest?.request.do === request.do && latest.request.address === request.address) return latest.settled.promise;
    if (this.pending >= this.#options.maxPending) return Promise.resolve({ is: "busy" });
    const entry: Entry = { key, request, settled: Promise.withResolvers() };
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
      await this.#commit(this.#inFlight);
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
    const { store, actor, deadlineMs, onBatch, onFault } = this.#options;
    const startedAt = performance.now();
    try {
      const requests = batch.map(({ request }) => request);
      const outcomes = await within(deadlineMs, store.commit(requests, actor));
      for (const [i, entry] of batch.entries()) entry.settled.resolve(outcomes[i]!);
    } catch (fault) {
      onFault?.(fault);
      for (const entry of batch) entry.settled.reject(fault);
    }
    onBatch?.(batch.length, startedAt);
  }

  /** The oldest requests, at most one per interface; the others keep their order for the next batch. */
  #nextBatch(): Entry[] {
    const batch = new Map<string, Entry>();
    const rest: Entry[] = [];
    for (const entry of this.#queue) {
      if (batch.size < this.#options.maxBatch && !batch.has(entry.key)) batch.set(entry.key, entry);
      else rest.push(entry);
    }
    this.#queue = rest;
    return [...batch.values()];
  }
}
