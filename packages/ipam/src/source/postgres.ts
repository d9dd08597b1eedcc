import { Client, type Pool } from "pg";
import { withTimeout } from "@firstlight/service";
import type { Kind, Row } from "../model.ts";
import { type Loaded, type Pulled, type Source, Unmigrated } from "../source.ts";
import type { Position } from "../feed.ts";
import { pull } from "../store/changes.ts";
import { CHANNELS } from "../store/herald.ts";
import { clientOptions, createPool, type DatabaseOptions } from "../store/pool.ts";
import { type Json, rowFrom, TABLES } from "../store/rows.ts";
import { copied } from "./copy.ts";

const FETCH = 2_000;
const RECONNECT_MS = 1_000;

/** What a question of a load may take, where the answer is small. */
const ANSWER_MS = 12_000;

interface Standing {
  readonly epoch: string;
  readonly position: number;
  readonly dns: number;
  readonly now: number;
}

const STANDING = `
  SELECT epoch, position, dns_position AS dns, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
  FROM ipam.feed ORDER BY position DESC LIMIT 1`;

/** The feed and the tables on PostgreSQL. Connects when first asked; every call says for itself when the database is away. */
export class PgSource implements Source, AsyncDisposable {
  readonly #options: DatabaseOptions;
  readonly #pool: Pool;
  #listener: Client | undefined;
  #listenAgainAt = 0;
  #hasNews = false;
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#pool = createPool({ ...options, poolSize: 2 });
  }

  /** One snapshot for everything, on a connection of its own that ends with the last row, or when the reader turns away. */
  load(): Promise<Loaded> {
    return named(this.#load());
  }

  async #load(): Promise<Loaded> {
    const client = new Client({ ...clientOptions(this.#options), query_timeout: undefined }); // a copy takes longer than a query
    client.on("error", () => {}); // the query under way rejects
    try {
      await client.connect();
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const { rows } = await withTimeout(ANSWER_MS, client.query<Standing>(STANDING));
      const { epoch, position, dns, now } = rows[0]!;
      return { at: { epoch, position }, dnsPosition: dns, databaseNow: now, rows: everyRow(client) };
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  changes(after: Position, limit: number): Promise<Pulled> {
    return named(pull(this.#pool, after, limit));
  }

  /** What was told between two waits ends the next one at once; without a connection only the time counts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#listen();
    if (this.#hasNews || signal.aborted || this.#isClosed) {
      this.#hasNews = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#waiting.add(resolve);
    const stopped = (): void => resolve();
    signal.addEventListener("abort", stopped);
    await promise;
    signal.removeEventListener("abort", stopped);
    clearTimeout(timer);
    this.#waiting.delete(resolve);
    this.#hasNews = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#news();
    await this.#listener?.end().catch(() => {});
    await this.#pool.end();
  }

  #listen(): void {
    if (this.#listener || this.#isClosed || performance.now() < this.#listenAgainAt) return;
    this.#listenAgainAt = performance.now() + RECONNECT_MS;
    const client = new Client(clientOptions(this.#options));
    const lost = (): void => {
      if (this.#listener === client) this.#listener = undefined;
      void client.end().catch(() => {});
    };
    client.on("notification", () => this.#news());
    client.on("error", lost);
    client.on("end", lost);
    this.#listener = client;
    client
      .connect()
      .then(() => client.query(`LISTEN ${CHANNELS.feed}`))
      .then(() => this.#news(), lost); // what was told before we listened, we ask for
  }

  #news(): void {
    this.#hasNews = true;
    for (const wake of this.#waiting) wake();
  }
}

const BARE: ReadonlySet<unknown> = new Set(["42P01", "3F000"]); // undefined_table, invalid_schema_name

async function named<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!BARE.has((cause as { code?: unknown }).code)) throw cause;
    throw new Unmigrated(cause);
  }
}

async function* everyRow(client: Client): AsyncGenerator<Iterable<Row>> {
  try {
    for (const kind of Object.keys(TABLES) as Kind[])
      yield* kind === "interface" || kind === "lease" ? copied(client, kind) : fetched(client, kind);
  } finally {
    await client.end().catch(() => {});
  }
}

/** A kind of which there are thousands: as the feed has its rows. */
async function* fetched(client: Client, kind: Kind): AsyncGenerator<readonly Row[]> {
  await client.query(`DECLARE every NO SCROLL CURSOR FOR SELECT to_jsonb(t) AS "row" FROM ${TABLES[kind]} t`);
  for (;;) {
    const { rows } = await withTimeout(ANSWER_MS, client.query<{ row: Json }>(`FETCH ${FETCH} FROM every`));
    if (rows.length > 0) yield rows.map(({ row }) => rowFrom(kind, row));
    if (rows.length < FETCH) break;
  }
  await client.query("CLOSE every");
}
