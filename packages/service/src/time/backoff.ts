/** How long to wait before the next attempt. */
export interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

const DEFAULT_BACKOFF: Backoff = { baseMs: 100, maxMs: 30_000 };

/**
 * Exponential back-off with "equal jitter": half of the delay is fixed and half is random, so that a hundred daemons that
 * lost the same database do not all reconnect at once. `attempt` counts from 0; `jitter` is a number in [0, 1) from the caller.
 */
export function backoffMs(attempt: number, jitter: number, { baseMs, maxMs }: Backoff = DEFAULT_BACKOFF): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(Math.max(attempt, 0), 30));
  return Math.round(full / 2 + (full / 2) * jitter);
}
