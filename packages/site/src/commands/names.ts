import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { json } from "../print.ts";
import { whole } from "./number.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type Name = Awaited<ReturnType<Operator["ipam"]["listNames"]>>["names"][number];

const MOST_TTL = 2 ** 31 - 1; // RFC 2181 §8

export function namesCommands(program: Command): void {
  const names = program.command("names").description("declared DNS records; derived ones need no declaring");
  operatorVerb(names.command("list"))
    .description("every declared record")
    .option("--domain <domain>", "only of this zone")
    .action((options: OperatorOptions & { domain?: string }) =>
      ask(options, async (operator) => {
        await printList(namePages(operator, options.domain ?? ""), COLUMNS, options);
      }),
    );
  operatorVerb(names.command("put <owner> <type> <data>"))
    .description("declare a record, for example: names put www.rack.internal A 127.66.0.40")
    .option("--domain <domain>", "the zone (default: the closest of the site's domains above OWNER)")
    .option("--ttl <seconds>", "time to live (default: that of the zone)", whole(1, MOST_TTL))
    .action((owner: string, type: string, data: string, options: OperatorOptions & { domain?: string; ttl?: number }) =>
      ask(options, async (operator) => {
        const { name } = await operator.ipam.putName({
          name: { owner, type: type.toUpperCase(), data, ttlSeconds: options.ttl ?? 0, domain: options.domain ?? "" },
        });
        if (name === undefined) return;
        const text = `${name.owner} ${name.ttlSeconds} ${name.type} ${name.data}, in ${name.domain}`;
        process.stdout.write(`${options.json === true ? json(name) : text}\n`);
      }),
    );
  operatorVerb(names.command("delete <owner> <type>"))
    .description("take a declared record back")
    .action((owner: string, type: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.ipam.deleteName({ owner, type: type.toUpperCase() });
        process.stdout.write(`${options.json === true ? "{}" : `${owner} ${type.toUpperCase()} is gone`}\n`);
      }),
    );
}

const namePages = (operator: Operator, domain: string): AsyncGenerator<readonly Name[]> =>
  paged(async (page) => {
    const { names, nextPageToken } = await operator.ipam.listNames({ domain, ...page });
    return { rows: names, nextPageToken };
  });

const COLUMNS: Columns<Name> = {
  head: ["NAME", "TTL", "TYPE", "DATA", "DOMAIN"],
  cells: ({ owner, ttlSeconds, type, data, domain }) => [owner, String(ttlSeconds), type, data, domain],
};
