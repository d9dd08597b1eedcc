import { exposeGauge } from "@firstlight/service";
import { Counter, Histogram, type Registry } from "prom-client";

/** tftpd's metrics. Labels are fixed words, never names or addresses. */
export interface Metrics {
  request(type: "RRQ" | "WRQ"): void;
  refused(because: string): void;
  /** A datagram that changed nothing and was not answered. */
  ignored(because: string, count?: number): void;
  ended(because: string, transfer: { readonly bytes: number; readonly resent: number; readonly ms: number }): void;
}

/** Values that are read at a scrape. */
export interface Levels {
  readonly transfers: () => number;
  readonly cachedBytes: () => number;
}

export function createMetrics(registry: Registry, levels: Levels): Metrics {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
    new Counter({ name: `firstlight_tftp_${name}_total`, help, labelNames, registers });
  const requests = counter("requests", "Requests received, by type", "type");
  const refusals = counter("refusals", "Requests not served, by reason", "because");
  const ignored = counter("ignored", "Datagrams without effect or answer, by reason", "because");
  const transfers = counter("transfers", "Transfers ended, by reason", "because");
  const bytes = counter("bytes", "Bytes of files that clients acknowledged");
  const resent = counter("resent", "Windows and option acknowledgements sent again");
  const seconds = new Histogram({
    name: "firstlight_tftp_transfer_seconds",
    help: "Time of a whole transfer",
    buckets: [0.005, 0.02, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers,
  });
  exposeGauge(registry, "firstlight_tftp_active_transfers", "Transfers under way", levels.transfers);
  exposeGauge(registry, "firstlight_tftp_cached_bytes", "Files kept in memory", levels.cachedBytes);
  return {
    request: (type) => requests.inc({ type }),
    refused: (because) => refusals.inc({ because }),
    ignored: (because, count = 1) => ignored.inc({ because }, count),
    ended(because, transfer) {
      transfers.inc({ because });
      bytes.inc(transfer.bytes);
      resent.inc(transfer.resent);
      if (because === "sent") seconds.observe(transfer.ms / 1000);
    },
  };
}
