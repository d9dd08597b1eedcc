import { exposeGauge } from "@firstlight/service";
import { Counter, type Registry } from "prom-client";
import type { Reason } from "./reasons.ts";

/** What the spool counts. */
export interface SpoolMetrics {
  sent(events: number): void;
  dropped(because: Reason): void;
}

export function createSpoolMetrics(
  registry: Registry,
  spool: { readonly left: () => number; readonly lagMs: () => number },
): SpoolMetrics {
  exposeGauge(registry, "firstlight_events_spooled", "Events told and not yet acknowledged by the API", spool.left);
  const lagSeconds = (): number => spool.lagMs() / 1000;
  exposeGauge(registry, "firstlight_events_lag_seconds", "Age of the oldest event not yet acknowledged", lagSeconds);
  const registers = [registry];
  const sent = new Counter({ name: "firstlight_events_sent_total", help: "Events acknowledged by the API", registers });
  const dropped = new Counter({
    name: "firstlight_events_dropped_total",
    help: "Events that will never arrive",
    labelNames: ["because"],
    registers,
  });
  return { sent: (events) => sent.inc(events), dropped: (because) => dropped.inc({ because }) };
}
