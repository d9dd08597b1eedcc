import { exposeGauge } from "@firstlight/service";
import { messageTypes } from "@firstlight/wire/dhcp4";
import { Counter, Histogram, type Registry } from "prom-client";
import type { ReplyType } from "./v4/delivery.ts";
import type { Reason } from "./reasons.ts";

/** What dhcpd counts. Labels are fixed words, never addresses. */
export interface Metrics {
  packet(type: string): void;
  reply(type: ReplyType): void;
  silence(because: Reason): void;
  /** Options left out because the client takes no larger packet. */
  dropped(codes: readonly number[]): void;
  batch(size: number, startedAt: number): void;
  /** An event that the flight recorder is not told. */
  leftOut(kind: string): void;
}

/** What is read when somebody asks. */
export interface Gauges {
  /** Promises waiting for the database. */
  readonly pending: () => number;
  /** Positions of the change feed whose lease events the API has not acknowledged. */
  readonly behind: () => number;
}

export function createMetrics(registry: Registry, gauges: Gauges): Metrics {
  const registers = [registry];
  const packets = new Counter({
    name: "firstlight_dhcp_packets_total",
    help: "Packets received, by message type",
    labelNames: ["type"],
    registers,
  });
  const replies = new Counter({
    name: "firstlight_dhcp_replies_total",
    help: "Replies sent, by message type",
    labelNames: ["type"],
    registers,
  });
  const silences = new Counter({
    name: "firstlight_dhcp_silences_total",
    help: "Packets not answered, by reason",
    labelNames: ["because"],
    registers,
  });
  const dropped = new Counter({
    name: "firstlight_dhcp_options_dropped_total",
    help: "Options left out of a reply for its size, by code",
    labelNames: ["code"],
    registers,
  });
  const leftOut = new Counter({
    name: "firstlight_dhcp_events_left_out_total",
    help: "Events counted here and not told to the flight recorder: repeated, or past dhcpd.routineEvents",
    labelNames: ["kind"],
    registers,
  });
  const sizes = new Histogram({
    name: "firstlight_dhcp_commit_batch_size",
    help: "Promises in one transaction",
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  });
  const seconds = new Histogram({
    name: "firstlight_dhcp_commit_seconds",
    help: "Time of one transaction",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  exposeGauge(registry, "firstlight_dhcp_pending", "Promises waiting for the database", gauges.pending);
  exposeGauge(
    registry,
    "firstlight_dhcp_events_behind",
    "Positions of the change feed whose lease events the API has not acknowledged",
    gauges.behind,
  );
  return {
    packet: byLabel((type) => packets.labels({ type: type in messageTypes.of ? type : "other" })),
    reply: byLabel((type) => replies.labels({ type })),
    silence: (because) => silences.inc({ because }),
    dropped(codes) {
      for (const code of codes) dropped.inc({ code });
    },
    leftOut: byLabel((kind) => leftOut.labels({ kind })),
    batch(size, startedAt) {
      sizes.observe(size);
      seconds.observe((performance.now() - startedAt) / 1000);
    },
  };
}

/** Counts by one label; the counter of each word is looked up once, not per packet. Words are few: types of messages. */
function byLabel(counterOf: (word: string) => { inc(): void }): (word: string) => void {
  const counters = new Map<string, { inc(): void }>();
  return (word) => {
    let counter = counters.get(word);
    if (counter === undefined) counters.set(word, (counter = counterOf(word)));
    counter.inc();
  };
}
