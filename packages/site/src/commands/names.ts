import type { Command } from "commander";
import { json } from "../print.ts";
import { ask, operatorVerb, type OperatorOptions } from "./operator.ts";

export function namesCommands(program: Command): void {
  const names = program.command("names").description("declared DNS records; derived ones need no declaring");
  operatorVerb(names.command("put <owner> <type> <data>"))
    .description("declare a record, for example: names put www.rack.internal A 127.66.0.40")
    .option("--domain <domain>", "the zone (default: what follows the first dot of OWNER)")
    .option("--ttl <seconds>", "time to live", Number, 60)
    .action((owner: string, type: string, data: string, options: OperatorOptions & { domain?: string; ttl: number }) =>
      ask(options, async (operator) => {
        const domain = options.domain ?? owner.slice(owner.indexOf(".") + 1);
        const { name } = await operator.ipam.putName({
          name: { owner, type: type.toUpperCase(), data, ttlSeconds: options.ttl, domain },
        });
        process.stdout.write(
          `${options.json === true ? json(name) : `${owner} ${options.ttl} ${type.toUpperCase()} ${data}`}\n`,
        );
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
