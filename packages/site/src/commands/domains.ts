import type { Command } from "commander";
import { json, table } from "../print.ts";
import { ask, operatorVerb, type OperatorOptions } from "./operator.ts";

export function domainsCommands(program: Command): void {
  const domains = program.command("domains").description("the DNS zones of the site's names");
  operatorVerb(domains.command("list"))
    .description("every domain")
    .action((options: OperatorOptions) =>
      ask(options, async (operator) => {
        const all = (await operator.ipam.listDomains({})).domains;
        const rows = all.map(({ name, nameServers, ttlSeconds, negativeTtlSeconds }) => [
          name,
          nameServers.join(" "),
          String(ttlSeconds),
          String(negativeTtlSeconds),
        ]);
        const text = table([["NAME", "SERVERS", "TTL", "NEGATIVE"], ...rows]);
        process.stdout.write(`${options.json === true ? json(all) : text}\n`);
      }),
    );
}
