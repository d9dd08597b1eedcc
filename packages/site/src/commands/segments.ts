import { readFileSync } from "node:fs";
import type { Operator } from "@firstlight/api-client";
import type { Command } from "commander";
import { parse } from "yaml";
import { json, table } from "../print.ts";
import { ask, operatorVerb, type OperatorOptions } from "./operator.ts";

type SegmentInit = NonNullable<Parameters<Operator["ipam"]["createSegment"]>[0]["segment"]>;
type Segment = Awaited<ReturnType<Operator["ipam"]["listSegments"]>>["segments"][number];

export function segmentsCommands(program: Command): void {
  const segments = program.command("segments").description("broadcast domains, their prefixes and policies");
  operatorVerb(segments.command("list"))
    .description("every segment")
    .action((options: OperatorOptions) =>
      ask(options, async (operator) => {
        const all = (await operator.ipam.listSegments({})).segments;
        process.stdout.write(`${options.json === true ? json(all) : listed(all)}\n`);
      }),
    );
  operatorVerb(segments.command("create <file>"))
    .description("a new segment from YAML, with the keys of the site's file")
    .action((file: string, options: OperatorOptions) =>
      ask(options, async (operator) =>
        said((await operator.ipam.createSegment({ segment: fromYaml(file) })).segment, options),
      ),
    );
  operatorVerb(segments.command("update <file>"))
    .description("change what the YAML names; refused when an address would lose its place")
    .action((file: string, options: OperatorOptions) =>
      ask(options, async (operator) =>
        said((await operator.ipam.updateSegment({ segment: fromYaml(file) })).segment, options),
      ),
    );
  operatorVerb(segments.command("delete <name>"))
    .description("remove a segment that holds no address")
    .action((name: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.ipam.deleteSegment({ name });
        process.stdout.write(`${options.json === true ? "{}" : `segment ${name} is gone`}\n`);
      }),
    );
}

/** The contract's field names are the file's, in camel case: YAML goes over as it is. */
const fromYaml = (file: string): SegmentInit => parse(readFileSync(file === "-" ? 0 : file, "utf8")) as SegmentInit;

const prefixes = (segment: Segment): string => segment.prefixes.map(({ prefix }) => prefix).join(" ");

function listed(segments: readonly Segment[]): string {
  return table([
    ["NAME", "KIND", "DOMAIN", "PREFIXES", "BOUND", "OF", "MTU", "BOOTS"],
    ...segments.map((segment) => [
      segment.name,
      segment.kind ?? "",
      segment.domain ?? "",
      prefixes(segment),
      String(segment.prefixes.reduce((sum, { bound }) => sum + bound, 0n)),
      String(segment.prefixes.reduce((sum, { assignable }) => sum + assignable, 0n)),
      String(segment.mtu ?? ""),
      segment.boots === true ? "yes" : "no",
    ]),
  ]);
}

function said(segment: Segment | undefined, options: OperatorOptions): void {
  if (segment !== undefined)
    process.stdout.write(
      `${options.json === true ? json(segment) : `segment ${segment.name}: ${prefixes(segment)}`}\n`,
    );
}
