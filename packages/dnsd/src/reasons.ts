import type { ReasonRow } from "@firstlight/service";

/**
 * Every reason that dnsd gives, by its code: the `because` of its events, log lines and metrics. Codes are stable; the texts
 * are for people and may change. `answers` is what the peer gets.
 */
export const REASONS = {
  // A query that cannot be answered
  "query-too-short": { sentence: "shorter than a header", remedy: "Not DNS.", answers: "silence" },
  "is-a-response": {
    sentence: "is a response",
    remedy: "Another server's response arrives here: look for a loop.",
    answers: "silence",
  },
  "opcode-not-query": {
    sentence: "opcode is not QUERY",
    remedy: "Send UPDATE and NOTIFY elsewhere: zones are made from the IPAM.",
    answers: "NOTIMP",
  },
  "not-one-question": { sentence: "question count is not one", remedy: "The client is wrong.", answers: "FORMERR" },
  "question-malformed": { sentence: "question is malformed", remedy: "The client is wrong.", answers: "FORMERR" },
  "records-malformed": { sentence: "records are malformed", remedy: "The client is wrong.", answers: "FORMERR" },
  "two-opt-records": { sentence: "two OPT records", remedy: "The client is wrong.", answers: "FORMERR" },
  // A connection that is ended
  "query-too-long": {
    sentence: "query longer than any question",
    remedy: "Something other than DNS on this port.",
    answers: "closed",
  },
  "connections-limit": { sentence: "too many connections", remedy: "See dnsd.tcp.connections.", answers: "closed" },
  "connections-per-address-limit": {
    sentence: "too many connections of this address",
    remedy: "See dnsd.tcp.perAddress.",
    answers: "closed",
  },
  "connection-gone": { sentence: "connection was gone before it was taken", remedy: "None needed.", answers: "closed" },
  "accept-failed": {
    sentence: "connection could not be accepted",
    remedy: "See the limit of open files.",
    answers: "closed",
  },
  "idle-connection": {
    sentence: "idle connection",
    remedy: "None needed: no whole query within dnsd.tcp.idleSeconds.",
    answers: "closed",
  },
  // The zones
  "replica-stale": {
    sentence: "replica older than {seconds} s: every answer is SERVFAIL",
    remedy: "Bring the database back, or raise dnsd.stalenessSeconds.",
    answers: "SERVFAIL",
  },
  "name-not-served": {
    sentence: "names that cannot be served",
    remedy: "Correct the records that the log line names.",
    answers: "none",
  },
  started: { sentence: "built at the start", remedy: "None needed.", answers: "none" },
  "replica-reloaded": { sentence: "the replica was loaded anew", remedy: "None needed.", answers: "none" },
  "zones-changed": { sentence: "a domain, segment or prefix changed", remedy: "None needed.", answers: "none" },
  // Log
  "portable-engine": {
    sentence: "the batched UDP engine does not work here, the portable one is used",
    remedy: "See the fault beside it; the portable engine is slower.",
    answers: "none",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
