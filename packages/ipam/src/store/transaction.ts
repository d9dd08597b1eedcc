import type pg from "pg";
import { refusalOf } from "./constraints.ts";

/** A conflict between two statements: the transaction starts again. */
export class Again extends Error {
  readonly code = "FL_AGAIN";
}

const AGAIN = new Set(["FL_AGAIN", "40P01", "40001"]); // deadlock_detected, serialization_failure
const ATTEMPTS = 4;

/** Sends COMMIT. Who knows the last statement of its transaction may send it right behind that one. */
export type Commit = () => Promise<unknown>;

/** One transaction on a connection of the pool, begun by one of BEGIN; started over, a few times, when another one got in its way. */
export async function transaction<T>(
  pool: pg.Pool,
  begin: string,
  act: (client: pg.PoolClient, commit: Commit) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const client = await pool.connect();
    let committed: Promise<unknown> | undefined;
    const commit = (): Promise<unknown> => (committed ??= client.query("COMMIT"));
    client.on("error", ignore); // of a connection in use the pool does not care; the statement under way rejects
    try {
      const [, result] = await inOrder(
        client,
        () => client.query(begin),
        () => act(client, commit),
      );
      await commit();
      client.release();
      return result;
    } catch (error) {
      await client.query("ROLLBACK").then(
        () => client.release(),
        (broken: Error) => client.release(broken),
      );
      if (attempt === ATTEMPTS || !AGAIN.has((error as { code?: string }).code ?? "")) throw refusalOf(error);
    } finally {
      client.off("error", ignore);
    }
  }
}

/** A connection may send statements before the ones ahead of them are answered (`pipeline`). */
type Connection = pg.ClientBase & Partial<Pick<pg.Client, "pipeline" | "connection">>;

/**
 * Two statements of which the second does not depend on what the first one answers. On a connection that pipelines they go
 * together, in one packet: one wait instead of two; where the first one fails the transaction is broken, and so is the second.
 */
export async function inOrder<A, B>(
  client: Connection,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  if (!client.pipeline) return [await first(), await second()];
  const stream = client.connection?.stream;
  stream?.cork();
  const both = Promise.all([first(), second()]); // written, none answered
  stream?.uncork();
  return both;
}

function ignore(): void {}
