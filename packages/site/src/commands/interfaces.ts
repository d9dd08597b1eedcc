import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type Interface = Awaited<ReturnType<Operator["ipam"]["listInterfaces"]>>["interfaces"][number];

export function interfacesCommands(program: Command): void {
  const interfaces = program.command("interfaces").description("who holds an address, by MAC");
  operatorVerb(interfaces.command("list"))
    .description("every interface that has had an address, or is predicted")
    .option("--segment <name>", "only of this segment")
    .action((options: OperatorOptions & { segment?: string }) =>
      ask(options, async (operator) => {
        await printList(interfacePages(operator, options.segment ?? ""), COLUMNS, options);
      }),
    );
}

const interfacePages = (operator: Operator, segment: string): AsyncGenerator<readonly Interface[]> =>
  paged(async (page) => {
    const { interfaces, nextPageToken } = await operator.ipam.listInterfaces({ segment, ...page });
    return { rows: interfaces, nextPageToken };
  });

const COLUMNS: Columns<Interface> = {
  head: ["CLIENT", "ROLE", "SEGMENT", "ADDRESS", "NAME", "MACHINE", "STATE"],
  cells: (one) => [one.mac || one.identity, one.role, one.segment, one.address, one.fqdn, one.machine, one.state],
};
