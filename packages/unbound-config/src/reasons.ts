import type { ReasonRow } from "@firstlight/service";

/**
 * Every reason that unbound-config gives, by its code: the `because` of its events, log lines and metrics. Codes are stable; the texts
 * are for people and may change. `answers` is what the peer gets.
 */
export const REASONS = {
  // The configuration
  "nothing-placed": {
    sentence: "no configuration written yet",
    remedy: "Wait for the replica: see the log.",
    answers: "not ready",
  },
  "configuration-refused": {
    sentence: "a new configuration is refused, what stood before stands: {fault}",
    remedy: "The checker's words follow; the refused file is FILE.new.",
    answers: "kept",
  },
  "configuration-not-applied": {
    sentence: "not applied: {fault}",
    remedy: "See the log: the fault is of the file system or of unbound.",
    answers: "retried",
  },
  "checker-missing": {
    sentence: "the checker of configurations is not installed",
    remedy: "Install unbound, or set unboundConfig.checkconf.",
    answers: "placed unchecked",
  },
  "checker-timeout": {
    sentence: "the checker gave no verdict in time",
    remedy: "Run the checker on FILE.new by hand.",
    answers: "refused",
  },
  "checker-refuses": {
    sentence: "the checker refuses the configuration",
    remedy: "Run unbound-checkconf FILE.new; a fault of the site's data shows there.",
    answers: "refused",
  },
  "resolver-disabled": {
    sentence: "unboundConfig.enabled is false: no resolver is configured from here",
    remedy: "Set unboundConfig.enabled where unbound is to be configured.",
    answers: "none",
  },
  // unbound and dnsd
  "unbound-away": {
    sentence: "unbound does not answer at its control socket",
    remedy: "Start unbound; unboundConfig.control must be its control-interface.",
    answers: "retried",
  },
  "dnsd-away": {
    sentence: "no dnsd answers: nothing is flushed, unbound serves what it has",
    remedy: "Start a dnsd at unboundConfig.dnsd.",
    answers: "retried",
  },
  "command-refused": {
    sentence: "unbound refuses the command",
    remedy: "See unbound's words in the fault.",
    answers: "logged",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
