import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { json, table } from "../print.ts";
import { ask, collect, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type Interface = Awaited<ReturnType<Operator["ipam"]["listInterfaces"]>>["interfaces"][number];

export function interfacesCommands(program: Command): void {
  const interfaces = program.command("interfaces").description("who holds an address, by MAC");
  operatorVerb(interfaces.command("list"))
    .description("every interface that has had an address, or is predicted")
    .option("--segment <name>", "only of this segment")
    .action((options: OperatorOptions & { segment?: string }) =>
      ask(options, async (operator) => {
        const all = await collect(allInterfaces(operator, options.segment ?? ""));
        process.stdout.write(`${options.json === true ? json(all) : listed(all)}\n`);
      }),
    );
}

const allInterfaces = (operator: Operator, segment: string): AsyncGenerator<Interface> =>
  paged(async (page) => {
    const { interfaces, nextPageToken } = await operator.ipam.listInterfaces({ segment, ...page });
    return { rows: interfaces, nextPageToken };
  });

const listed = (interfaces: readonly Interface[]): string =>
  table([
    ["MAC", "ROLE", "SEGMENT", "ADDRESS", "NAME", "MACHINE", "STATE"],
    ...interfaces.map((one) => [one.mac, one.role, one.segment, one.address, one.fqdn, one.machine, one.state]),
  ]);
