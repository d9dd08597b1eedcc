import { collectDefaultMetrics, Registry } from "prom-client";
import type { Readiness } from "../lifecycle/readiness.ts";
import { exposeGauge } from "./gauge.ts";

/** The metrics registry of this process: labels `site` and `daemon` on every metric, with the default process metrics. */
export function createMetrics(site: string, daemon: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ site, daemon });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** `firstlight_ready` and `firstlight_staleness_seconds`, computed when scraped. */
export function exposeReadiness(registry: Registry, readiness: () => Readiness): void {
  exposeGauge(registry, "firstlight_ready", "1 while this daemon serves", () => (readiness().ready ? 1 : 0));
  const stalenessSeconds = (): number => (readiness().stalenessMs ?? 0) / 1000;
  exposeGauge(registry, "firstlight_staleness_seconds", "Age of the replica this daemon serves", stalenessSeconds);
}
