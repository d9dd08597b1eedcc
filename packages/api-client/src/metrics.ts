import { Counter, Gauge, type Registry } from "prom-client";

/** What the spool counts. */
export interface SpoolMetrics {
  sent(events: number): void;
  dropped(because: "overflow" | "refused" | "stopped"): void;
}

export function createSpoolMetrics(registry: Registry, spool: { left(): number; lagMs(): number }): SpoolMetrics {
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  gauge("firstlight_events_spooled", "Events told and not yet acknowledged by the API", () => spool.left());
  gauge("firstlight_events_lag_seconds", "Age of the oldest event not yet acknowledged", () => spool.lagMs() / 1000);
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
