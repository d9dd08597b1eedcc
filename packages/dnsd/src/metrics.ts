import { exposeGauge } from "@firstlight/service";
import { RCODES, TYPES } from "@firstlight/wire/dns";
import { Counter, type Registry } from "prom-client";
import type { Reason } from "./reasons.ts";

export type Transport = "udp" | "tcp";

/** dnsd's metrics. Labels are fixed words, never names or addresses. */
export interface Metrics {
  /** One reply; `qtype` 0 where the question could not be read. */
  answered(transport: Transport, qtype: number, rcode: number): void;
  silence(because: Reason): void;
}

/** Values read when the metrics are scraped. */
export interface Gauges {
  readonly serial: () => number;
  readonly names: () => number;
  readonly building: () => number;
  readonly rejected: () => number;
  readonly connections: () => number;
}

const TRANSPORTS: readonly Transport[] = ["udp", "tcp"];
const TYPE_WORDS = ["other", ...Object.keys(TYPES.of)];
const RCODE_WORDS = Array.from({ length: 17 }, (_, code) => RCODES.name(code));
/** Index of each type in `TYPE_WORDS`; 0 where it has none. */
const TYPE_PLACES = new Uint8Array(Math.max(...Object.values(TYPES.of)) + 1);
for (const [word, type] of Object.entries(TYPES.of)) TYPE_PLACES[type] = TYPE_WORDS.indexOf(word);

export function createMetrics(registry: Registry, gauges: Gauges): Metrics {
  const registers = [registry];
  // Replies are counted in an array, labels are made at a scrape: a label costs more than an answer.
  const counts = new Float64Array(TRANSPORTS.length * TYPE_WORDS.length * RCODE_WORDS.length);
  const replies = new Counter({
    name: "firstlight_dns_replies_total",
    help: "Replies sent, by transport, type asked and response code",
    labelNames: ["transport", "type", "rcode"],
    registers,
    collect() {
      replies.reset();
      for (const [at, count] of counts.entries()) if (count > 0) replies.inc(labelsAt(at), count);
    },
  });
  const silences = new Counter({
    name: "firstlight_dns_silences_total",
    help: "Packets not answered and connections ended, by reason",
    labelNames: ["because"],
    registers,
  });
  for (const [name, help, value] of [
    ["firstlight_dns_serial", "Serial of every zone", gauges.serial],
    ["firstlight_dns_names", "Names served, empty non-terminals included", gauges.names],
    ["firstlight_dns_building_names", "Names placed so far in zones being rebuilt; 0 when none are", gauges.building],
    ["firstlight_dns_rejected_names", "Names with a record that cannot be served", gauges.rejected],
    ["firstlight_dns_connections", "TCP connections open", gauges.connections],
  ] as const) {
    exposeGauge(registry, name, help, value);
  }
  return {
    answered(transport, qtype, rcode) {
      const type = qtype < TYPE_PLACES.length ? TYPE_PLACES[qtype]! : 0;
      const row = (transport === "udp" ? 0 : 1) * TYPE_WORDS.length + type;
      counts[row * RCODE_WORDS.length + rcode]!++;
    },
    silence: (because) => silences.inc({ because }),
  };
}

function labelsAt(at: number): { transport: string; type: string; rcode: string } {
  const row = Math.floor(at / RCODE_WORDS.length);
  return {
    transport: TRANSPORTS[Math.floor(row / TYPE_WORDS.length)]!,
    type: TYPE_WORDS[row % TYPE_WORDS.length]!,
    rcode: RCODE_WORDS[at % RCODE_WORDS.length]!,
  };
}
