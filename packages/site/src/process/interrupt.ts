import { constants } from "node:os";

/** npm forwards a Ctrl-C that the terminal has already sent: two signals within this time count as one. */
const SAME_MS = 1000;

/** Somebody asked to stop. */
export class Interrupted extends Error {
  readonly code = "FL_INTERRUPTED";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(signal);
    this.signal = signal;
  }
}

/** Aborts with an `Interrupted` at the first SIGINT, SIGTERM or SIGHUP; one that follows later ends the process at once. */
export function interrupted(process: NodeJS.Process, now: () => number = () => performance.now()): AbortSignal {
  const stop = new AbortController();
  let first = Number.POSITIVE_INFINITY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const at = now();
      if (at - first > SAME_MS) process.exit(128 + constants.signals[signal]); // daemons stop when their supervisor is gone
      first = Math.min(first, at);
      stop.abort(new Interrupted(signal));
    });
  }
  return stop.signal;
}
