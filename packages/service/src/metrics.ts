import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** The registry of this process: labels `site` and `daemon` on everything, the usual process metrics in it. */
export function createMetrics(site: string, daemon: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ site, daemon });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** `firstlight_ready` and `firstlight_staleness_seconds`, read when somebody asks. */
export function exposeReadiness(registry: Registry, readiness: () => { ready: boolean; stalenessMs?: number }): void {
  new Gauge({
    name: "firstlight_ready",
    help: "1 while this daemon serves",
    registers: [registry],
    collect() {
      this.set(readiness().ready ? 1 : 0);
    },
  });
  new Gauge({
    name: "firstlight_staleness_seconds",
    help: "Age of the replica this daemon serves",
    registers: [registry],
    collect() {
      this.set((readiness().stalenessMs ?? 0) / 1000);
    },
  });
}
