import { INT8_AS_NUMBER } from "@firstlight/changefeed";
import { withPassword } from "@firstlight/service";
import { Pool, type ClientConfig } from "pg";
import { PLANNER_SETTINGS } from "./planner.ts";

/** How to reach the database. */
export interface DatabaseOptions {
  /** `postgres://user@host:port/db` */
  readonly url: string;
  /** Its first line is the password; re-read with every new set of connections, never kept in the URL. */
  readonly passwordFile?: string;
  /** Whose connections these are, in `pg_stat_activity`: `dhcpd`. */
  readonly name: string;
  readonly poolSize?: number;
  /** A connection of the pool broke while idle: nothing is lost, but somebody may want to know. */
  readonly onLost?: (cause: Error) => void;
}

/** No statement of ours takes longer than this; the caller's own deadline is usually shorter. */
const STATEMENT_MS = 10_000;

/** A pool whose connections give up: on connecting, on a statement, on an abandoned transaction. */
export function createPool(options: DatabaseOptions): Pool {
  const pool = new Pool({ ...clientOptions(options), max: options.poolSize ?? 4, idleTimeoutMillis: 30_000 });
  pool.on("error", (cause) => options.onLost?.(cause));
  return pool;
}

/**
 * Connections for lease batches alone: every session plans as PLANNER_SETTINGS says, once instead of in each transaction, and statements
 * that do not wait for each other's answers go together.
 */
export function createWriters(options: DatabaseOptions): Pool {
  const pool = new Pool({
    ...clientOptions(options),
    max: options.poolSize ?? 4,
    idleTimeoutMillis: 30_000,
    pipeline: true,
  });
  pool.on("error", (cause) => options.onLost?.(cause));
  pool.on("connect", (client) => void client.query(`SET ${PLANNER_SETTINGS.join("; SET ")}`).catch(() => {})); // a broken one says so itself
  return pool;
}

export function clientOptions(options: DatabaseOptions): ClientConfig {
  return {
    connectionString: withPassword(options.url, options.passwordFile),
    application_name: `firstlight/${options.name}`,
    connectionTimeoutMillis: 3_000,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 2_000, // a server that has gone silent
    idle_in_transaction_session_timeout: 3 * STATEMENT_MS,
    keepAlive: true,
    types: INT8_AS_NUMBER,
  };
}
