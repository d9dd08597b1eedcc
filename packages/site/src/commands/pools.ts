import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { json, timeText } from "../print.ts";
import { sourceFields } from "../source-text.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type PoolInit = NonNullable<Parameters<Operator["pools"]["putPool"]>[0]["pool"]>;
type Pool = Awaited<ReturnType<Operator["pools"]["listPools"]>>["pools"][number];
type Grant = Awaited<ReturnType<Operator["pools"]["listGrants"]>>["grants"][number];

export function poolsCommands(program: Command): void {
  const pools = program.command("pools").description("VLANs, VNIs, ASNs, loopbacks and prefixes, given one by one");
  operatorVerb(pools.command("list"))
    .description("every pool, with what is left of it")
    .action((options: OperatorOptions) =>
      ask(options, async (operator) => {
        const pages = paged(async (page) => {
          const { pools: rows, nextPageToken } = await operator.pools.listPools(page);
          return { rows, nextPageToken };
        });
        await printList(pages, POOLS, options);
      }),
    );
  operatorVerb(pools.command("put <file>"))
    .description("make a pool from YAML, with the keys of the site's file, or change its ranges")
    .action((file: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        const pool = sourceFields(file) as PoolInit;
        await operator.pools.putPool({ pool });
        said(options, `pool ${pool.name}: ${(pool.ranges ?? []).join(" ")}`);
      }),
    );
  operatorVerb(pools.command("delete <name>"))
    .description("remove a pool that has given nothing")
    .action((name: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.pools.deletePool({ name });
        said(options, `pool ${name} is gone`);
      }),
    );
  grantVerbs(pools);
}

function grantVerbs(pools: Command): void {
  operatorVerb(pools.command("allocate <pool> <owner>"))
    .description("give OWNER a value; the one it has already, if it has one")
    .option("--value <value>", "this one or none")
    .option("--hint <value>", "the first free one from here on, and round again")
    .action((pool: string, owner: string, options: OperatorOptions & { value?: string; hint?: string }) =>
      ask(options, async (operator) => {
        const { grant } = await operator.pools.allocate({
          pool,
          owner,
          wanted: options.value ?? "",
          hint: options.hint ?? "",
        });
        process.stdout.write(`${options.json === true ? json(grant) : (grant?.value ?? "")}\n`);
      }),
    );
  operatorVerb(pools.command("release <pool> <value> <owner>"))
    .description("take a value back from its owner")
    .action((pool: string, value: string, owner: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.pools.release({ pool, value, owner });
        said(options, `pool ${pool}: ${value} is free`);
      }),
    );
  operatorVerb(pools.command("grants <pool>"))
    .description("who has which value")
    .action((pool: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        const pages = paged(async (page) => {
          const { grants, nextPageToken } = await operator.pools.listGrants({ pool, ...page });
          return { rows: grants, nextPageToken };
        });
        await printList(pages, GRANTS, options);
      }),
    );
}

const POOLS: Columns<Pool> = {
  head: ["NAME", "KIND", "GIVEN", "FREE", "RANGES", "EXCLUDED"],
  cells: ({ name, kind, length, granted, free, ranges, excluded }) => [
    name,
    length === 0 ? kind : `${kind} /${length}`,
    String(granted),
    free,
    ranges.join(" "),
    excluded.join(" "),
  ],
};

const GRANTS: Columns<Grant> = {
  head: ["VALUE", "OWNER", "SINCE"],
  cells: ({ value, owner, granted }) => [value, owner, timeText(granted)],
};

function said(options: OperatorOptions, text: string): void {
  process.stdout.write(`${options.json === true ? "{}" : text}\n`);
}
