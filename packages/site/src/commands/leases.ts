import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { timeText } from "../print.ts";
import { ask, paged, type TimedOptions, timedVerb } from "./operator.ts";

type Lease = Awaited<ReturnType<Operator["ipam"]["listLeases"]>>["leases"][number];

export function leasesCommands(program: Command): void {
  const leases = program.command("leases").description("the DHCP promises");
  timedVerb(leases.command("list"))
    .description("every lease")
    .option("--segment <name>", "only of this segment")
    .action((options: TimedOptions & { segment?: string }) =>
      ask(options, async (operator) => {
        await printList(leasePages(operator, options.segment ?? ""), columns(options), options);
      }),
    );
}

const leasePages = (operator: Operator, segment: string): AsyncGenerator<readonly Lease[]> =>
  paged(async (page) => {
    const { leases, nextPageToken } = await operator.ipam.listLeases({ segment, ...page });
    return { rows: leases, nextPageToken };
  });

const columns = (options: TimedOptions): Columns<Lease> => ({
  head: ["ADDRESS", "SEGMENT", "CLIENT", "STATE", "POLICY", "EXPIRES", "RELAY"],
  cells: (lease) => [
    lease.prefixLength === undefined ? lease.address : `${lease.address}/${lease.prefixLength}`,
    lease.segment,
    lease.mac || lease.identity,
    lease.state,
    lease.policy,
    timeText(lease.expires, options),
    lease.giaddr,
  ],
});
