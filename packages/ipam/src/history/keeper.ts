/**
 * Keeps the history: reads the feed's changes, samples how full prefixes are, reclaims under pressure and deletes old history. Every
 * process that can be the sequencer runs one. A lock per transaction lets one work at a time; the position is in the database, so there is
 * no election. It reads committed changes and never blocks a lease.
 */
import { setTimeout as delay } from "node:timers/promises";
import { backoffMs } from "@firstlight/service";
import { Client } from "pg";
import { clientOptions, type DatabaseOptions } from "../database/connections.ts";
import type { Relocation } from "../fields/lists.ts";
import { archive } from "./archive.ts";
import { collect } from "./collect.ts";
import { pressure } from "../usage/reclaim.ts";
import { forget, forgetSamples, type Keep } from "./forget.ts";
import { sample } from "./sample.ts";
import { settle } from "./settle.ts";
import { takeBack } from "./take-back.ts";
import { nextSlice } from "./walk.ts";

export interface HistoryOptions extends DatabaseOptions {
  readonly keep?: Partial<Keep>;
  readonly log?: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** How often it looks for changes. */
  readonly pollMs?: number;
  /** How often prefixes are counted. Default 300 s. */
  readonly sampleSeconds?: number;
  /** The fill level in percent above which a prefix is reclaimed. Default 90. */
  readonly reclaimPercent?: number;
  /** How long an interface that nobody counts on is kept after it was last seen. Default 90. */
  readonly strangerDays?: number;
  /** Called with the findings of each batch of the feed, and with what was done. */
  readonly onDone?: (what: Done, count: number) => void;
}

/** What the keeper has done to interfaces: arrivals that it recorded, and interfaces that it collected. */
export type Done = Relocation | "collected";

export interface Keeper extends AsyncDisposable {
  /** Changes this one has taken in. */
  readonly archived: number;
}

const POLL_MS = 1000;
const SAMPLE_SECONDS = 300;
const RECLAIM_PERCENT = 90;
const STRANGER_DAYS = 90;
/** How often it looks whether something is to be counted or forgotten. */
const CHORES_MS = 5000;
/** Changes taken in by one transaction. */
const BATCH = 5000;

/** The keeper's number in the schema's lock class; held for one transaction. */
const LOCK = "SELECT pg_try_advisory_xact_lock(1179403604, 3) AS won";

/** Starts one; it looks for the database by itself and goes on until it is disposed of. */
export function startHistory(options: HistoryOptions): Keeper {
  const keeper = new Loop(options);
  const running = keeper.run();
  return {
    get archived() {
      return keeper.archived;
    },
    async [Symbol.asyncDispose]() {
      keeper.stop();
      await running;
    },
  };
}

class Loop {
  readonly #options: HistoryOptions;
  readonly #stopping = new AbortController();
  #choresAt = 0;
  /** Up to which interface the walk over all of them has come. */
  #walked = 0;
  archived = 0;

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async run(): Promise<void> {
    const { log, pollMs = POLL_MS } = this.#options;
    let isSilent = false; // said once, until the database has been reached again
    for (let attempt = 0; !this.#stopping.signal.aborted;) {
      const client = new Client({ ...clientOptions(this.#options), statement_timeout: 0, query_timeout: 0 });
      client.on("error", () => {}); // the next query says what happened
      try {
        await client.connect();
        while (!this.#stopping.signal.aborted) {
          const hasMore = await this.#round(client);
          attempt = 0;
          isSilent = false;
          if (!hasMore) await this.#sleep(pollMs);
        }
      } catch (cause) {
        if (!isSilent) log?.warn({ err: cause }, "history is not kept: the database cannot be used");
        isSilent = true;
        await this.#sleep(backoffMs(attempt++, Math.random(), { baseMs: 200, maxMs: 5000 }));
      } finally {
        await client.end().catch(() => {});
      }
    }
  }

  /** Whether there is more to do at once. */
  async #round(client: Client): Promise<boolean> {
    let hasMore = false;
    await alone(client, async () => {
      const { changes, arrived, because, more } = await archive(client, BATCH);
      for (const [is, count] of arrived) this.#options.onDone?.(is, count);
      this.archived += changes;
      hasMore = more;
      if (because !== undefined)
        this.#options.log?.warn({ because }, "history caught up with the leases as they stand");
    });
    if (performance.now() < this.#choresAt) return hasMore;
    this.#choresAt = performance.now() + CHORES_MS;
    await this.#count(client);
    await this.#tidy(client);
    return (await alone(client, () => forget(client, this.#options.keep ?? {}))) || hasMore;
  }

  async #count(client: Client): Promise<void> {
    const { sampleSeconds = SAMPLE_SECONDS, reclaimPercent = RECLAIM_PERCENT, log } = this.#options;
    const samples = (await alone(client, () => sample(client, sampleSeconds))) ?? [];
    if (samples.length > 0) await alone(client, () => forgetSamples(client, this.#options.keep ?? {}));
    for (const { prefix, pools, ...whole } of samples) {
      for (const [use, pool] of [[whole], ...pools.map((pool) => [pool, pool] as const)] as const) {
        const wanted = pressure(use, reclaimPercent);
        if (wanted === 0) continue;
        const reclaimed = await alone(client, () => takeBack(client, prefix, wanted, pool));
        const of = { prefix, ...(pool && { pool: `${pool.from}-${pool.to}` }) };
        if (reclaimed) log?.info({ ...of, wanted, reclaimed }, "addresses reclaimed: the prefix is nearly full");
      }
    }
  }

  /** A part of the interfaces at a time: those with two homes, and those that nobody has seen for long. */
  async #tidy(client: Client): Promise<void> {
    const { strangerDays = STRANGER_DAYS, log, onDone } = this.#options;
    const { slice, next } = await nextSlice(client, this.#walked);
    this.#walked = next;
    await alone(client, () => settle(client, slice));
    const collected = (await alone(client, () => collect(client, slice, strangerDays))) ?? 0;
    if (collected === 0) return;
    onDone?.("collected", collected);
    log?.info({ collected, strangerDays }, "interfaces collected: nobody has seen them for long");
  }

  async #sleep(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

/** One transaction of the one who works; `undefined` while another one does. */
async function alone<T>(client: Client, act: () => Promise<T>): Promise<T | undefined> {
  await client.query("BEGIN");
  try {
    const { rows } = await client.query<{ won: boolean }>(LOCK);
    const result = rows[0]!.won ? await act() : undefined;
    await client.query("COMMIT");
    return result;
  } catch (cause) {
    await client.query("ROLLBACK").catch(() => {});
    throw cause;
  }
}
