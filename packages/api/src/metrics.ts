import { type MachineState, STATES } from "@firstlight/api-client";
import { status } from "@grpc/grpc-js";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Pool } from "pg";
import { countByState } from "./machine/rows.ts";

export interface ApiMetrics {
  call(method: string, code: status): void;
  events(stored: number, duplicate: number): void;
  readonly watchers: (now: number) => void;
}

/** Calls by method and code, machines by state (asked of the database when scraped), events stored and seen before. */
export function createApiMetrics(registry: Registry, pool: Pool): ApiMetrics {
  const registers = [registry];
  const calls = new Counter({
    name: "firstlight_api_calls_total",
    help: "Calls ended",
    labelNames: ["method", "code"],
    registers,
  });
  const events = new Counter({
    name: "firstlight_api_events_total",
    help: "Events reported",
    labelNames: ["is"],
    registers,
  });
  const watchers = new Gauge({ name: "firstlight_api_watchers", help: "WatchMachines streams open", registers });
  const machines = new Gauge({
    name: "firstlight_api_machines",
    help: "Machines by state",
    labelNames: ["state"],
    registers: [],
    async collect() {
      const counts = await countByState(pool).catch(() => undefined);
      this.reset(); // no value without the database, not an old one
      if (counts) for (const state of Object.keys(STATES) as MachineState[]) this.set({ state }, counts[state] ?? 0);
    },
  });
  registry.registerMetric(machines);
  return {
    call: (method, code) => calls.inc({ method, code: status[code] }),
    events(stored, duplicate) {
      events.inc({ is: "stored" }, stored);
      events.inc({ is: "duplicate" }, duplicate);
    },
    watchers: (now) => watchers.set(now),
  };
}
