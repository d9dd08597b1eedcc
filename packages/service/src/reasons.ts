import type { ReasonRow } from "./reason.ts";

/** The reasons that every daemon shares: of its readiness, and of its health address. */
export const REASONS = {
  starting: { sentence: "starting", remedy: "Wait; the log says what it waits for.", answers: "503" },
  draining: { sentence: "draining", remedy: "None needed: the daemon stops.", answers: "503" },
  "get-or-head-only": { sentence: "only GET and HEAD", remedy: "Ask with GET.", answers: "405" },
  "path-unknown": {
    sentence: "only /health, /ready and /metrics are served",
    remedy: "Ask for one of these paths.",
    answers: "404",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
