import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { json, table, timeText } from "../print.ts";
import { ask, collect, operatorVerb, type OperatorOptions } from "./operator.ts";

type Lease = Awaited<ReturnType<Operator["ipam"]["listLeases"]>>["leases"][number];

export function leasesCommands(program: Command): void {
  const leases = program.command("leases").description("the DHCP promises");
  operatorVerb(leases.command("list"))
    .description("every lease")
    .option("--segment <name>", "only of this segment")
    .action((options: OperatorOptions & { segment?: string }) =>
      ask(options, async (operator) => {
        const all = await collect(allLeases(operator, options.segment ?? ""));
        process.stdout.write(`${options.json === true ? json(all) : listed(all)}\n`);
      }),
    );
}

async function* allLeases(operator: Operator, segment: string): AsyncGenerator<Lease> {
  for (let pageToken = ""; ;) {
    const page = await operator.ipam.listLeases({ segment, pageSize: 1000, pageToken });
    yield* page.leases;
    if (page.nextPageToken === "") return;
    pageToken = page.nextPageToken;
  }
}

const listed = (leases: readonly Lease[]): string =>
  table([
    ["ADDRESS", "SEGMENT", "MAC", "STATE", "POLICY", "EXPIRES", "RELAY"],
    ...leases.map((lease) => [
      lease.address,
      lease.segment,
      lease.mac,
      lease.state,
      lease.policy,
      timeText(lease.expires),
      lease.giaddr,
    ]),
  ]);
