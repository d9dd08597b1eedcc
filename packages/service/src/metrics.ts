import { collectDefaultMetrics, Registry } from "prom-client";
import type { Readiness } from "./daemon.ts";
import { exposeLevel } from "./level.ts";

/** The registry of this process: labels `site` and `daemon` on everything, the usual process metrics in it. */
export function createMetrics(site: string, daemon: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ site, daemon });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** `firstlight_ready` and `firstlight_staleness_seconds`, read when somebody asks. */
export function exposeReadiness(registry: Registry, readiness: () => Readiness): void {
  exposeLevel(registry, "firstlight_ready", "1 while this daemon serves", () => (readiness().ready ? 1 : 0));
  const stalenessSeconds = (): number => (readiness().stalenessMs ?? 0) / 1000;
  exposeLevel(registry, "firstlight_staleness_seconds", "Age of the replica this daemon serves", stalenessSeconds);
}
