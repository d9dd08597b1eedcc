import { type SiteConfig, withPassword } from "@firstlight/service";
import { Pool, type PoolClient, TypeOverrides, types } from "pg";

const SERIALIZATION_FAILURE = "40001";
const DEADLOCK = "40P01";
const ATTEMPTS = 4;

/** All bigint columns count versions, tasks or events, below 2^53. */
const countsAsNumbers = new TypeOverrides();
countsAsNumbers.setTypeParser(types.builtins.INT8, Number);

/** A pool of this daemon's own: bounded in size, in waiting and in the time of one statement. */
export function openPool({ database }: Pick<SiteConfig, "database">, onIdleError: (error: Error) => void): Pool {
  const pool = new Pool({
    connectionString: database.url && withPassword(database.url, database.passwordFile),
    max: database.poolSize,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 5_000,
    query_timeout: 6_000,
    idle_in_transaction_session_timeout: 10_000,
    application_name: "firstlight api",
    types: countsAsNumbers,
  });
  pool.on("error", onIdleError); // an idle connection broke: the next query opens another
  return pool;
}

/** One transaction; repeated if it conflicts with another one. */
export async function transaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, work);
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt >= ATTEMPTS || (code !== SERIALIZATION_FAILURE && code !== DEADLOCK)) throw error;
    }
  }
}

async function once<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  client.on("error", ignore); // of a connection in use the pool does not care; the statement under way rejects
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch((failed: Error) => (broken = failed));
    throw error;
  } finally {
    client.off("error", ignore);
    client.release(broken);
  }
}

function ignore(): void {}

/** Whether the database cannot be reached: error classes 08 and 57P, no socket, no free connection in time. */
export function isDatabaseAway(error: unknown): boolean {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (/^(08|3D|53|57P|ECONN|ENOTFOUND|ETIMEDOUT|EPIPE|ENOENT|EHOSTUNREACH|ENETUNREACH|EAI_)/.test(code)) return true;
  return /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered)/.test(
    message,
  );
}
