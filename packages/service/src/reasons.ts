import type { ReasonRow } from "./reason.ts";

/** The reasons that every daemon shares: why it is not ready or is degraded, and why its health address refuses a request. */
export const REASONS = {
  starting: { sentence: "starting", remedy: "Wait; the log says what it waits for.", answers: "503" },
  draining: { sentence: "draining", remedy: "None needed: the daemon stops.", answers: "503" },
  "not-running": {
    sentence: "not running",
    remedy: "Wait: its supervisor starts it again. If it stays down, see its log.",
    answers: "not ready",
  },
  "replica-not-loaded": {
    sentence: "nothing loaded yet: the database has not been reached",
    remedy: "Check database.url and the password; the log has the error of the connection.",
    answers: "503",
  },
  "feed-fault": {
    sentence: "{fault}",
    remedy: "Do what the sentence says.",
    answers: "503 while nothing is loaded, else 200",
  },
  "database-away": {
    sentence: "database away for {seconds} s, serving the replica",
    remedy: "Bring the database back.",
    answers: "200",
  },
  "feed-silent": {
    sentence: "the feed has not answered for {seconds} s, serving the replica",
    remedy: "Look for a database or a network that is overloaded: the feed does not answer, and no call has failed.",
    answers: "200",
  },
  "get-or-head-only": { sentence: "only GET and HEAD", remedy: "Send GET or HEAD.", answers: "405" },
  "path-unknown": {
    sentence: "only /health, /ready and /metrics are served",
    remedy: "Request one of these paths.",
    answers: "404",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
