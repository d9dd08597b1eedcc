import { Gauge, type Registry } from "prom-client";

/** Registers a gauge whose value is computed when it is scraped. */
export function exposeGauge(registry: Registry, name: string, help: string, value: () => number): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [], // not prom-client's global registry
      collect() {
        this.set(value());
      },
    }),
  );
}
