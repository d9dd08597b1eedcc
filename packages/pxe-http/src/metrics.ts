import { exposeGauge } from "@firstlight/service";
import { Counter, Histogram, type Registry } from "prom-client";
import type { RefusalCode } from "./reasons.ts";

/** Routes by name: a metric never carries a path. */
export type RouteName = "script" | "cloud-init" | "artefact" | "phone-home" | "none";

export interface Metrics {
  request(route: RouteName, code: number, ms: number): void;
  bytes(count: number): void;
  refusal(because: RefusalCode): void;
  untold(): void;
  script(action: string): void;
}

export function createMetrics(registry: Registry, connections: () => number): Metrics {
  const registers = [registry];
  const requests = new Counter({
    name: "firstlight_http_requests_total",
    help: "Requests answered, by route and status",
    labelNames: ["route", "code"],
    registers,
  });
  const bytes = new Counter({
    name: "firstlight_http_artefact_bytes_total",
    help: "Bytes of artefacts read for machines",
    registers,
  });
  const seconds = new Histogram({
    name: "firstlight_http_seconds",
    help: "Time from a request to the end of its answer",
    labelNames: ["route"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const refusals = new Counter({
    name: "firstlight_http_refusals_total",
    help: "Requests refused, by reason",
    labelNames: ["because"],
    registers,
  });
  const untold = new Counter({
    name: "firstlight_http_untold_total",
    help: "Events beyond what is told of one machine, or of all strangers",
    registers,
  });
  const scripts = new Counter({
    name: "firstlight_pxe_scripts_total",
    help: "Boot scripts given, by action; stranger: one that waits, to an address that no lease explains",
    labelNames: ["action"],
    registers,
  });
  exposeGauge(registry, "firstlight_http_connections", "Connections open now", connections);
  return {
    request(route, code, ms) {
      requests.inc({ route, code });
      seconds.observe({ route }, ms / 1000);
    },
    bytes: (count) => bytes.inc(count),
    refusal: (because) => refusals.inc({ because }),
    untold: () => untold.inc(),
    script: (action) => scripts.inc({ action }),
  };
}
