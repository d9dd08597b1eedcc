import { exposeGauge } from "@firstlight/service";
import { Counter, type Registry } from "prom-client";

/** unbound-config's metrics. Labels are fixed words, never names. */
export interface Metrics {
  configuration(is: "placed" | "same" | "refused" | "failed"): void;
  command(name: string, is: "ok" | "refused" | "away"): void;
}

export function createMetrics(registry: Registry, pending: () => number): Metrics {
  const registers = [registry];
  const configurations = new Counter({
    name: "firstlight_unbound_configurations_total",
    help: "Configurations rendered, by what became of them",
    labelNames: ["outcome"],
    registers,
  });
  const commands = new Counter({
    name: "firstlight_unbound_commands_total",
    help: "Commands to unbound's control socket, by command and outcome",
    labelNames: ["command", "outcome"],
    registers,
  });
  exposeGauge(registry, "firstlight_unbound_flushes_pending", "Flushes not done yet", pending);
  return {
    configuration: (outcome) => configurations.inc({ outcome }),
    command: (command, outcome) => commands.inc({ command, outcome }),
  };
}
