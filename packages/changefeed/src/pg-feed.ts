import { Client, type ClientConfig, type Pool } from "pg";
import type { EventMap, Position, Row } from "./change.ts";
import { INT8_AS_NUMBER } from "./int8.ts";
import { CHANNELS, TABLES } from "./place.ts";
import { pull } from "./pull.ts";
import type { Json, Registry } from "./registry.ts";
import type { Loaded, Pulled, Source } from "./source.ts";
import { Wakeup } from "./wakeup.ts";

const FETCH = 2_000;
const RECONNECT_MS = 1_000;

/** What a question of a load may take, where the answer is small. */
const ANSWER_MS = 12_000;

interface Head {
  readonly epoch: string;
  readonly position: number;
  readonly dns: number;
  readonly now: number;
}

const HEAD = `
  SELECT epoch, position, dns_position AS dns, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now
  FROM ${TABLES.head} ORDER BY position DESC LIMIT 1`;

export interface PgFeedOptions {
  /** How to connect; called for each new connection. */
  readonly connection: () => ClientConfig;
  /** For pulls. Parses int8 as numbers, and bounds the time of its queries. The feed does not end it. */
  readonly pool: Pool;
}

/** The feed and the registered tables on PostgreSQL. Connects when first asked; each call rejects while the database is away. */
export class PgFeed<R extends Row, E extends EventMap> implements Source<R, E>, AsyncDisposable {
  readonly #registry: Registry<R, E, string>;
  readonly #options: PgFeedOptions;
  readonly #wakeup = new Wakeup();
  #listener: Client | undefined;
  #listenAgainAt = 0;
  #isClosed = false;

  constructor(registry: Registry<R, E, string>, options: PgFeedOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  /** One snapshot for everything, on a connection of its own that ends with the last row, or when the reader stops early. */
  async load(kinds?: readonly R["kind"][]): Promise<Loaded<R>> {
    const client = this.#client({ query_timeout: undefined }); // a copy takes longer than a query
    client.on("error", () => {}); // the query under way rejects
    try {
      await client.connect();
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const { rows } = await client.query<Head>(bounded(HEAD));
      const { epoch, position, dns, now } = rows[0]!;
      return {
        at: { epoch, position },
        dnsPosition: dns,
        databaseNow: now,
        rows: everyRow(client, this.#registry.rows, kinds),
      };
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  changes(after: Position, limit: number, kinds?: readonly R["kind"][]): Promise<Pulled<R, E>> {
    return pull(this.#options.pool, this.#registry, after, { limit, kinds });
  }

  /** A notification between two waits ends the next one at once; without a connection only the time counts. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    this.#listen();
    if (!this.#isClosed) await this.#wakeup.wait(timeoutMs, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#wakeup.wake();
    await this.#listener?.end().catch(() => {});
  }

  #client(more: ClientConfig = {}): Client {
    return new Client({ ...this.#options.connection(), types: INT8_AS_NUMBER, ...more });
  }

  #listen(): void {
    if (this.#listener || this.#isClosed || performance.now() < this.#listenAgainAt) return;
    this.#listenAgainAt = performance.now() + RECONNECT_MS;
    const client = this.#client();
    const lost = (): void => {
      if (this.#listener === client) this.#listener = undefined;
      void client.end().catch(() => {});
    };
    client.on("notification", () => this.#wakeup.wake());
    client.on("error", lost);
    client.on("end", lost);
    this.#listener = client;
    client
      .connect()
      .then(() => client.query(`LISTEN ${CHANNELS.feed}`))
      .then(() => this.#wakeup.wake(), lost); // what was notified before it listened is pulled now
  }
}

async function* everyRow<R extends Row>(
  client: Client,
  registered: Registry<R, EventMap, string>["rows"],
  wanted?: readonly R["kind"][],
): AsyncGenerator<Iterable<R>> {
  try {
    for (const kind of Object.keys(registered) as R["kind"][]) {
      if (wanted && !wanted.includes(kind)) continue;
      const { load, table, read } = registered[kind];
      yield* load ? load(client) : fetched(client, table, read);
    }
  } finally {
    await client.end().catch(() => {});
  }
}

/** Rows as JSON through a cursor: for a kind of which there are thousands. */
async function* fetched<R extends Row>(
  client: Client,
  table: string,
  read: (json: Json) => R,
): AsyncGenerator<readonly R[]> {
  await client.query(`DECLARE every NO SCROLL CURSOR FOR SELECT to_jsonb(t) AS "row" FROM ${table} t`);
  for (;;) {
    const { rows } = await client.query<{ row: Json }>(bounded(`FETCH ${FETCH} FROM every`));
    if (rows.length > 0) yield rows.map(({ row }) => read(row));
    if (rows.length < FETCH) break;
  }
  await client.query("CLOSE every");
}

/** A query that rejects after `ANSWER_MS`, whatever its connection says. */
function bounded(text: string): { readonly text: string; readonly query_timeout: number } {
  return { text, query_timeout: ANSWER_MS };
}
