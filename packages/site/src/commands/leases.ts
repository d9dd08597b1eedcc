import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { json, table, timeText } from "../print.ts";
import { ask, collect, paged, type TimedOptions, timedVerb } from "./operator.ts";

type Lease = Awaited<ReturnType<Operator["ipam"]["listLeases"]>>["leases"][number];

export function leasesCommands(program: Command): void {
  const leases = program.command("leases").description("the DHCP promises");
  timedVerb(leases.command("list"))
    .description("every lease")
    .option("--segment <name>", "only of this segment")
    .action((options: TimedOptions & { segment?: string }) =>
      ask(options, async (operator) => {
        const all = await collect(allLeases(operator, options.segment ?? ""));
        process.stdout.write(`${options.json === true ? json(all) : listed(all, options)}\n`);
      }),
    );
}

const allLeases = (operator: Operator, segment: string): AsyncGenerator<Lease> =>
  paged(async (page) => {
    const { leases, nextPageToken } = await operator.ipam.listLeases({ segment, ...page });
    return { rows: leases, nextPageToken };
  });

const listed = (leases: readonly Lease[], options: TimedOptions): string =>
  table([
    ["ADDRESS", "SEGMENT", "MAC", "STATE", "POLICY", "EXPIRES", "RELAY"],
    ...leases.map((lease) => [
      lease.address,
      lease.segment,
      lease.mac,
      lease.state,
      lease.policy,
      timeText(lease.expires, options),
      lease.giaddr,
    ]),
  ]);
