import type { HistoryOptions } from "@firstlight/ipam/ops";
import { Counter, type Registry } from "prom-client";

/** Metrics of the history's keeper in this process. */
export function keepingMetrics(registry: Registry): Required<Pick<HistoryOptions, "onDone">> {
  const interfaces = new Counter({
    name: "firstlight_interfaces_total",
    help: "Devices that arrived on a segment, and interfaces collected",
    labelNames: ["is"],
    registers: [registry],
  });
  return { onDone: (is, count) => interfaces.inc({ is }, count) };
}
