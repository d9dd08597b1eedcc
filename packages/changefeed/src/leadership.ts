import type pg from "pg";
import { LEADER_LOCK } from "./place.ts";

const TRY_LOCK = `SELECT pg_try_advisory_lock(${LEADER_LOCK}) AS won`;

/**
 * Waits until this connection is the leader's: until it holds the lock of its session. Then it is the only one, and it
 * loses leadership with the connection. `pause` is called between two attempts. Polls, because a session that waits
 * for the lock would hold a snapshot, and with it every dead row.
 */
export async function acquireLeadership(
  client: pg.ClientBase,
  signal: AbortSignal,
  pause: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await client.query<{ won: boolean }>(TRY_LOCK);
    if (rows[0]!.won) return;
    await pause();
  }
}

/**
 * Settings of the leader's session. The outbox is short but may hold dead rows for as long as a transaction stays open
 * anywhere: it is never scanned whole. A leader whose machine is gone loses its lock within seconds.
 */
export const LEADER_SESSION =
  "SET enable_seqscan = off; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";
