import { Gauge, type Registry } from "prom-client";

/** A gauge that is read when somebody asks, so that nothing is counted along the way. */
export function exposeLevel(registry: Registry, name: string, help: string, level: () => number): void {
  registry.registerMetric(
    new Gauge({
      name,
      help,
      registers: [], // not prom-client's global registry
      collect() {
        this.set(level());
      },
    }),
  );
}
