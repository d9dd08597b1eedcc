import type { ReasonRow } from "@firstlight/service";

/** Why an event never reaches the API: the `because` of `firstlight_events_dropped_total` and of the log. */
export const REASONS = {
  overflow: {
    sentence: "more events wait than the spool holds: the oldest is dropped",
    remedy: "Bring the API back.",
    answers: "dropped",
  },
  refused: {
    sentence: "the API refuses the event",
    remedy: "See the event in the log; update the API before the daemons.",
    answers: "dropped",
  },
  stopped: {
    sentence: "the daemon stopped before the event was sent or kept",
    remedy: "See that STATE/spool can be written.",
    answers: "dropped",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
