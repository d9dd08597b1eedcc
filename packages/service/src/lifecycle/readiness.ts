import { describeReason } from "../reason.ts";
import { REASONS } from "../reasons.ts";

/** Whether a daemon serves, and what is degraded. This is what `/ready` returns. */
export interface Readiness {
  readonly ready: boolean;
  /**
   * Why the daemon is not ready, or what is degraded: a code of this package's reason table, or of the daemon's own.
   * Absent where nothing is degraded.
   */
  readonly because?: string;
  /** The sentence of `because`, with the facts of this case. Present where `because` is. */
  readonly detail?: string;
  /** Age in milliseconds of the replica that the daemon serves. Absent where it serves none. */
  readonly stalenessMs?: number;
}

export const STARTING: Readiness = { ready: false, ...describeReason(REASONS, "starting") };
export const DRAINING: Readiness = { ready: false, ...describeReason(REASONS, "draining") };
/** The readiness that a supervisor shows for a daemon whose process does not run. */
export const NOT_RUNNING: Readiness = { ready: false, ...describeReason(REASONS, "not-running") };

/** The state of a replica that follows a feed. */
export interface ReplicaState {
  /** Whether it has rows, from its feed or from a snapshot. */
  readonly isLoaded: boolean;
  /** Time in milliseconds since the feed last answered. */
  readonly stalenessMs: number;
  /** Present while the feed cannot be read: for how long, and the feed's own message where an operator can act on it. */
  readonly outage?: { readonly lastsMs: number; readonly fault?: string | undefined } | undefined;
}

/** A feed that has not answered for longer is reported as silent, though no call of it has failed. */
const MAX_SILENCE_MS = 10_000;

/** The readiness of a daemon that serves a replica: it is ready once the replica is loaded, also while the database is away. */
export function replicaReadiness({ isLoaded, stalenessMs, outage }: ReplicaState): Readiness {
  if (!isLoaded) {
    const { fault } = outage ?? {};
    if (fault !== undefined) return { ready: false, ...describeReason(REASONS, "feed-fault", { fault }) };
    return { ready: false, ...describeReason(REASONS, "replica-not-loaded") };
  }
  if (outage?.fault !== undefined) {
    const fault = `${outage.fault}, serving the replica`;
    return { ready: true, ...describeReason(REASONS, "feed-fault", { fault }), stalenessMs };
  }
  if (outage !== undefined) {
    const seconds = secondsText(outage.lastsMs);
    return { ready: true, ...describeReason(REASONS, "database-away", { seconds }), stalenessMs };
  }
  if (stalenessMs <= MAX_SILENCE_MS) return { ready: true, stalenessMs };
  const seconds = secondsText(stalenessMs);
  return { ready: true, ...describeReason(REASONS, "feed-silent", { seconds }), stalenessMs };
}

function secondsText(ms: number): string {
  return String(Math.round(ms / 1000));
}
