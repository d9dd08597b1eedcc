/**
 * Gives committed changes their positions in the feed. Any number of daemons may run one: the holder of a session lock is
 * the leader, the others try again every few hundred milliseconds. All its work is on the connection that holds the lock,
 * so there are never two: a leader that loses the connection loses leadership and the transaction with it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Client, type ClientConfig } from "pg";
import type { Position } from "./change.ts";
import { BEGIN_EPOCH, SAME_HISTORY } from "./epoch.ts";
import { INT8_AS_NUMBER } from "./int8.ts";
import { acquireLeadership, LEADER_SESSION } from "./leadership.ts";
import { notifySql } from "./notifier.ts";
import { CHANNELS } from "./place.ts";
import { SEQUENCE } from "./sequence.ts";
import { Trim } from "./trim.ts";
import { Wakeup } from "./wakeup.ts";

export interface SequencerOptions {
  /** How to connect; called for each new connection, so that a changed password is read again. */
  readonly connection: () => ClientConfig;
  /** How long to wait before the next connection, milliseconds; attempts count from 0. */
  readonly retryMs: (attempt: number) => number;
  readonly log?: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** The longest delay that a lost notification costs. Default 200 ms. */
  readonly pollMs?: number;
  /** How long a round that found something waits before the next one: every round wakes every reader. Default 15 ms. */
  readonly gatherMs?: number;
  /** How often a sequencer that is not the leader tries to become it. Default 400 ms, half of it random. */
  readonly candidacyMs?: number;
  /** Changes kept for readers; a reader that is further behind loads anew. Default 1,000,000. */
  readonly keep?: number;
  /** Where this process' own replica stands: a feed that is behind it was restored. */
  readonly seen?: () => Position;
}

export interface Sequencer extends AsyncDisposable {
  readonly isLeader: boolean;
  /** Changes it has given a position so far. */
  readonly sequenced: number;
}

const POLL_MS = 200;
const GATHER_MS = 15;
/** A round of so many changes is worth its cost, so the next one follows at once. */
const LARGE_ROUND = 500;
export const CANDIDACY_MS = 400;
const KEEP = 1_000_000;
const VERIFY_MS = 1000;

/** Starts one; it connects by itself and goes on until it is disposed of. */
export function startSequencer(options: SequencerOptions): Sequencer {
  const loop = new SequencerLoop(options);
  const running = loop.run();
  return {
    get isLeader() {
      return loop.isLeader;
    },
    get sequenced() {
      return loop.sequenced;
    },
    async [Symbol.asyncDispose]() {
      loop.stop();
      await running;
    },
  };
}

class SequencerLoop {
  readonly #options: SequencerOptions;
  readonly #stopping = new AbortController();
  readonly #wakeup = new Wakeup();
  #verifyAt = 0;
  isLeader = false;
  sequenced = 0;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopping.abort();
    this.#wakeup.wake();
  }

  async run(): Promise<void> {
    const { connection, retryMs, log, candidacyMs = CANDIDACY_MS } = this.#options;
    const { signal } = this.#stopping;
    let isLogged = false; // the outage, until it has been the leader again
    for (let attempt = 0; !signal.aborted;) {
      const client = new Client({ ...connection(), types: INT8_AS_NUMBER, statement_timeout: 0, query_timeout: 0 });
      client.on("error", () => this.#wakeup.wake()); // the next query rejects with the cause
      client.on("notification", () => this.#wakeup.wake());
      try {
        await client.connect();
        attempt = 0;
        await acquireLeadership(client, signal, () => this.#sleep(candidacyMs / 2 + (candidacyMs / 2) * Math.random()));
        isLogged = false;
        if (!signal.aborted) await this.#lead(client);
      } catch (cause) {
        if (this.isLeader) log?.warn({ err: cause }, "sequencer lost leadership");
        else if (!isLogged) log?.warn({ err: cause }, "sequencer cannot become leader: the database cannot be used");
        isLogged = true;
        this.isLeader = false;
        await this.#sleep(retryMs(attempt++));
      } finally {
        this.isLeader = false;
        await client.end().catch(() => {});
      }
    }
  }

  /** Rounds of sequencing, until it is stopped or the connection breaks. */
  async #lead(client: Client): Promise<void> {
    const { log, pollMs = POLL_MS, gatherMs = GATHER_MS, keep = KEEP } = this.#options;
    await client.query(LEADER_SESSION);
    await client.query(`LISTEN ${CHANNELS.pending}`);
    await this.#verify(client);
    this.isLeader = true;
    log?.info({}, "sequencer is the leader");
    const trim = new Trim(client, keep);
    while (!this.#stopping.signal.aborted) {
      if (performance.now() >= this.#verifyAt) await this.#verify(client); // restored while this one is the leader
      const { rows: moved } = await client.query<{ count: number }>({ name: "sequence", text: SEQUENCE });
      const count = moved[0]?.count ?? 0;
      this.sequenced += count;
      await trim.after(count);
      if (count === 0) await this.#wakeup.wait(pollMs);
      else if (count < LARGE_ROUND) await this.#sleep(gatherMs);
    }
  }

  /** Begins a new epoch unless this is the history in which earlier positions were given. */
  async #verify(client: Client): Promise<void> {
    const { log, seen } = this.#options;
    this.#verifyAt = performance.now() + VERIFY_MS;
    const known = [seen?.().position ?? 0];
    const { rows } = await client.query<{ same: boolean }>({ name: "same-history", text: SAME_HISTORY, values: known });
    if (rows[0]!.same) return;
    const { rows: feed } = await client.query<{ epoch: string; position: number }>(BEGIN_EPOCH, known);
    log?.warn({ ...feed[0] }, "this is another database than before (restore, failover): a new epoch begins");
    await client.query(notifySql("feed"));
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}
