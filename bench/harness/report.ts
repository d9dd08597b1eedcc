import { z } from "zod";
import type { Peer } from "./contract.ts";
import { MAX_FOREIGN_CPU } from "./rounds.ts";

export const PEERS = [
  "kea-memfile",
  "kea-postgresql",
  "dnsmasq",
  "isc-dhcpd",
  "nsd",
  "knot",
  "bind",
  "pdns",
  "tftpd-hpa",
  "atftpd",
  "nginx",
] as const satisfies readonly Peer[];

const figure = z.number().nonnegative();
const figures = z.record(z.string(), figure);

const resultSchema = z.strictObject({
  median: figure,
  spread: figure,
  cpuPerOp: figure,
  rssBytes: figure.int(),
  failed: figure.int(),
  extra: figures.optional(),
});

/** The contract of a report: what `--json` prints and `bench/results` keeps. */
export const reportSchema = z
  .strictObject({
    bench: z.enum(["dhcp", "dns", "tftp", "http", "storm", "api", "ipam"]),
    machine: z.record(z.string(), z.union([z.string(), z.number()])),
    rounds: figure.int().positive(),
    foreignCpu: figure,
    isMarked: z.boolean(),
    results: z.record(z.string(), resultSchema),
    ratios: figures,
    cpuRatios: figures,
  })
  .superRefine((report, context) => {
    const fault = (message: string): void => context.addIssue({ code: "custom", message });
    const { results, ratios, cpuRatios, foreignCpu, isMarked } = report;
    if (isMarked !== foreignCpu > MAX_FOREIGN_CPU) fault(`foreignCpu is ${foreignCpu}, but isMarked is ${isMarked}`);
    for (const name of [...Object.keys(ratios), ...Object.keys(cpuRatios)]) {
      const peer = PEERS.find((one) => name === one || name.startsWith(`${one} `));
      if (peer === undefined) fault(`${name} is not a peer`);
      else if (!(name in results) && !Object.keys(results).some((one) => one.startsWith(`${peer} `)))
        fault(`${name} has a ratio and was not measured`);
    }
    const names = Object.keys(results);
    const ours = names.filter((name) => name.startsWith("firstlight"));
    for (const name of names) {
      if (ours.length > 0 && !ours.includes(name) && !(name in ratios)) fault(`${name} was measured and has no ratio`);
    }
    for (const peer of PEERS) {
      const each = Object.entries(ratios).flatMap(([name, ratio]) => (name.startsWith(`${peer} `) ? [ratio] : []));
      if (each.length > 0 && ratios[peer] !== Math.min(...each))
        fault(`the ratio of ${peer} is not the lowest of its variants`);
    }
  });
