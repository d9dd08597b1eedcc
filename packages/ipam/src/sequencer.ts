/**
 * Gives committed changes their place in the feed. Any number of daemons may run one: the holder of a session lock is in
 * office, the others ask again every second. All its work is on the connection that holds the lock, so there are
 * never two: who loses the connection has lost the office and the transaction with it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { backoffMs, AutoResetEvent } from "@firstlight/service";
import { Client } from "pg";
import type { Position } from "./feed.ts";
import { CHANNELS, notifySql } from "./store/herald.ts";
import { clientOptions, type DatabaseOptions } from "./store/pool.ts";
import {
  AWAKE,
  ENTER_EPOCH,
  LOCK,
  SAME_HISTORY,
  SEQUENCE,
  FEED_AT,
  TRIM_CHANGES,
  TRIM_FEED,
} from "./store/sequence.ts";

export interface SequencerOptions extends DatabaseOptions {
  readonly log?: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
  /** What a lost notification costs at most. */
  readonly pollMs?: number;
  /** How long a round that found something waits before the next one: every round wakes every reader. */
  readonly gatherMs?: number;
  /** How often one that is not in office asks for it. */
  readonly candidacyMs?: number;
  /** Changes kept for readers; who is further behind loads anew. */
  readonly keep?: number;
  /** Where this process' own replica stands: a feed that has fallen behind it was restored. */
  readonly seen?: () => Position;
}

export interface Sequencer extends AsyncDisposable {
  readonly isInOffice: boolean;
  /** Changes it has given a position so far. */
  readonly sequenced: number;
}

const POLL_MS = 200;
const GATHER_MS = 15;
/** A round of so many changes was worth its cost. */
const WORTH = 500;
const CANDIDACY_MS = 400;
const KEEP = 1_000_000;
const VERIFY_MS = 1000;
/** Most rows of a table in one trim. It is due after half as many changes, so it keeps up with any intake, or after so many rounds. */
const TRIM_ROWS = 10_000;
const TRIM_EVERY = 512;

/** Starts one; it looks for the database by itself and goes on until it is disposed of. */
export function startSequencer(options: SequencerOptions): Sequencer {
  const sequencer = new Office(options);
  const running = sequencer.run();
  return {
    get isInOffice() {
      return sequencer.isInOffice;
    },
    get sequenced() {
      return sequencer.sequenced;
    },
    async [Symbol.asyncDispose]() {
      sequencer.stop();
      await running;
    },
  };
}

class Office {
  readonly #options: SequencerOptions;
  readonly #stopping = new AbortController();
  readonly #wakeup = new AutoResetEvent();
  #verifyAt = 0;
  isInOffice = false;
  sequenced = 0;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopping.abort();
    this.#wakeup.set();
  }

  async run(): Promise<void> {
    const { log, candidacyMs = CANDIDACY_MS } = this.#options;
    let isSilent = false; // said once, until it has been in office again
    for (let attempt = 0; !this.#stopping.signal.aborted;) {
      const client = new Client({ ...clientOptions(this.#options), statement_timeout: 0, query_timeout: 0 });
      client.on("error", () => this.#wakeup.set()); // the next query says what happened
      client.on("notification", () => this.#wakeup.set());
      try {
        await client.connect();
        attempt = 0;
        await this.#campaign(client, candidacyMs);
        isSilent = false;
        if (!this.#stopping.signal.aborted) await this.#serve(client);
      } catch (cause) {
        if (this.isInOffice) log?.warn({ err: cause }, "sequencer lost its office");
        else if (!isSilent) log?.warn({ err: cause }, "no sequencer in office here: the database cannot be used");
        isSilent = true;
        this.isInOffice = false;
        await this.#sleep(backoffMs(attempt++, Math.random(), { baseMs: 100, maxMs: candidacyMs }));
      } finally {
        this.isInOffice = false;
        await client.end().catch(() => {});
      }
    }
  }

  /** Asks again and again: a session that waits for the lock would hold a snapshot, and with it every dead row. */
  async #campaign(client: Client, candidacyMs: number): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const { rows } = await client.query<{ won: boolean }>(LOCK);
      if (rows[0]!.won) return;
      await this.#sleep(candidacyMs / 2 + (candidacyMs / 2) * Math.random());
    }
  }

  async #serve(client: Client): Promise<void> {
    const { log, pollMs = POLL_MS, gatherMs = GATHER_MS, keep = KEEP } = this.#options;
    await client.query(AWAKE);
    await client.query(`LISTEN ${CHANNELS.pending}`);
    await this.#verify(client);
    this.isInOffice = true;
    log?.info({}, "sequencer in office");
    const floors = { changes: 0, feed: 0 };
    let untrimmed = TRIM_ROWS;
    while (!this.#stopping.signal.aborted) {
      if (performance.now() >= this.#verifyAt) await this.#verify(client); // restored under a sequencer in office
      const { rows: moved } = await client.query<{ count: number }>({ name: "sequence", text: SEQUENCE });
      const count = moved[0]?.count ?? 0;
      this.sequenced += count;
      untrimmed += Math.max(count, TRIM_ROWS / TRIM_EVERY);
      if (untrimmed >= TRIM_ROWS / 2) {
        await trim(client, floors, keep);
        untrimmed = 0;
      }
      if (count === 0) await this.#wakeup.wait(pollMs);
      else if (count < WORTH) await this.#sleep(gatherMs);
    }
  }

  /** Positions are given only in the history that gave those before. */
  async #verify(client: Client): Promise<void> {
    const { log, seen } = this.#options;
    this.#verifyAt = performance.now() + VERIFY_MS;
    const known = [seen?.().position ?? 0];
    const { rows } = await client.query<{ same: boolean }>({ name: "same-history", text: SAME_HISTORY, values: known });
    if (rows[0]!.same) return;
    const { rows: feed } = await client.query<{ epoch: string; position: number }>(ENTER_EPOCH, known);
    log?.warn({ ...feed[0] }, "this is another database than before (restore, failover): a new epoch begins");
    await client.query(notifySql("feed"));
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

async function trim(client: Client, floors: { changes: number; feed: number }, keep: number): Promise<void> {
  const { rows } = await client.query<{ position: number }>(FEED_AT);
  const { position } = rows[0]!;
  const forget = async (text: string, floor: number, below: number): Promise<number> => {
    const { rows } = await client.query<{ floor: number | null }>(text, [floor, below, TRIM_ROWS]);
    return rows[0]?.floor ?? floor;
  };
  floors.changes = await forget(TRIM_CHANGES, floors.changes, position - keep + 1);
  floors.feed = await forget(TRIM_FEED, floors.feed, position);
}
