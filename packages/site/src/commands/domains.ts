import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type Domain = Awaited<ReturnType<Operator["ipam"]["listDomains"]>>["domains"][number];

export function domainsCommands(program: Command): void {
  const domains = program.command("domains").description("the DNS zones of the site's names");
  operatorVerb(domains.command("list"))
    .description("every domain")
    .action((options: OperatorOptions) =>
      ask(options, async (operator) => {
        const pages = paged(async (page) => {
          const { domains: rows, nextPageToken } = await operator.ipam.listDomains(page);
          return { rows, nextPageToken };
        });
        await printList(pages, COLUMNS, options);
      }),
    );
}

const COLUMNS: Columns<Domain> = {
  head: ["NAME", "SERVERS", "TTL", "NEGATIVE"],
  cells: ({ name, nameServers, ttlSeconds, negativeTtlSeconds }) => [
    name,
    nameServers.join(" "),
    String(ttlSeconds),
    String(negativeTtlSeconds),
  ],
};
