import { PgFeed } from "@firstlight/changefeed";
import type { Pool } from "pg";
import type { Events, Position } from "./feed.ts";
import { KINDS } from "./kinds.ts";
import type { Kind, Row } from "../model/model.ts";
import { type Loaded, type Pulled, type Source, Unmigrated } from "./source.ts";
import { clientOptions, createPool, type DatabaseOptions } from "../database/connections.ts";

/** The feed and the tables of the IPAM on PostgreSQL. Connects at the first call. Each call rejects while the database is away. */
export class PgSource implements Source, AsyncDisposable {
  readonly #pool: Pool;
  readonly #feed: PgFeed<Row, Events>;

  constructor(options: DatabaseOptions) {
    this.#pool = createPool({ ...options, poolSize: 2 });
    this.#feed = new PgFeed(KINDS, { pool: this.#pool, connection: () => clientOptions(options) });
  }

  load(kinds?: readonly Kind[]): Promise<Loaded> {
    return named(this.#feed.load(kinds));
  }

  changes(after: Position, limit: number, kinds?: readonly Kind[]): Promise<Pulled> {
    return named(this.#feed.changes(after, limit, kinds));
  }

  wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#feed.wait(timeoutMs, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#feed[Symbol.asyncDispose]();
    await this.#pool.end();
  }
}

const NO_TABLE: ReadonlySet<unknown> = new Set(["42P01", "3F000"]); // undefined_table, invalid_schema_name

/** The answer, or a rejection that tells the operator the remedy. */
async function named<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!NO_TABLE.has((cause as { code?: unknown }).code)) throw cause;
    throw new Unmigrated(cause);
  }
}
