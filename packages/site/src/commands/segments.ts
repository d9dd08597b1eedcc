import type { Operator } from "@firstlight/api-client";
import { POOLED_FIELDS } from "@firstlight/ipam";
import type { Command } from "commander";
import { type Columns, printList } from "../list.ts";
import { json } from "../print.ts";
import { sourceFields } from "../source-text.ts";
import { ask, operatorVerb, type OperatorOptions, paged } from "./operator.ts";

type SegmentInit = NonNullable<Parameters<Operator["ipam"]["createSegment"]>[0]["segment"]>;
type Segment = Awaited<ReturnType<Operator["ipam"]["listSegments"]>>["segments"][number];

export function segmentsCommands(program: Command): void {
  const segments = program.command("segments").description("broadcast domains, their prefixes and policies");
  operatorVerb(segments.command("list"))
    .description("every segment")
    .action((options: OperatorOptions) =>
      ask(options, async (operator) => {
        const pages = paged(async (page) => {
          const { segments: rows, nextPageToken } = await operator.ipam.listSegments(page);
          return { rows, nextPageToken };
        });
        await printList(pages, COLUMNS, options);
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
  drainVerbs(segments);
  operatorVerb(segments.command("delete <name>"))
    .description("remove a segment that holds no address")
    .action((name: string, options: OperatorOptions) =>
      ask(options, async (operator) => {
        await operator.ipam.deleteSegment({ name });
        process.stdout.write(`${options.json === true ? "{}" : `segment ${name} is gone`}\n`);
      }),
    );
}

interface DrainOptions extends OperatorOptions {
  readonly prefix?: string;
}

function drainVerbs(segments: Command): void {
  operatorVerb(segments.command("drain <name>"))
    .description("let a segment run empty: no new address, and its holders move on")
    .option("--prefix <prefix>", "this prefix of it alone")
    .action((name: string, options: DrainOptions) =>
      ask(options, async ({ ipam }) =>
        drained((await ipam.drain({ name, prefix: options.prefix ?? "" })).segment, options),
      ),
    );
  operatorVerb(segments.command("undrain <name>"))
    .description("give addresses again")
    .option("--prefix <prefix>", "in this prefix of it")
    .action((name: string, options: DrainOptions) =>
      ask(options, async ({ ipam }) =>
        drained((await ipam.undrain({ name, prefix: options.prefix ?? "" })).segment, options),
      ),
    );
}

function drained(segment: Segment | undefined, options: DrainOptions): void {
  if (segment === undefined) return;
  const what = options.prefix === undefined ? `segment ${segment.name}` : `segment ${segment.name}: ${options.prefix}`;
  const state = options.prefix === undefined ? segment.state : undefined;
  const of = segment.prefixes.find(({ prefix }) => prefix === options.prefix);
  process.stdout.write(`${options.json === true ? json(segment) : `${what} is ${state ?? of?.state ?? ""}`}\n`);
}

/** The contract's field names are the file's, in camel case: YAML goes over as it is, but `vlan: { pool: NAME }`. */
function fromYaml(file: string): SegmentInit {
  const written: Record<string, unknown> = { ...sourceFields(file) };
  for (const field of POOLED_FIELDS) {
    const value = written[field] as { readonly pool?: string } | string | number | null | undefined;
    if (typeof value !== "object" || value === null) continue;
    delete written[field];
    written[`${field}Pool`] = value.pool;
  }
  return written;
}

const prefixes = (segment: Segment): string => segment.prefixes.map(({ prefix }) => prefix).join(" ");

const COLUMNS: Columns<Segment> = {
  head: ["NAME", "KIND", "DOMAIN", "PREFIXES", "BOUND", "OF", "MTU", "BOOTS", "VLAN", "VNI", "STATE"],
  cells: (segment) => [
    segment.name,
    segment.kind ?? "",
    segment.domain ?? "",
    prefixes(segment),
    String(segment.prefixes.reduce((sum, { bound }) => sum + bound, 0n)),
    String(segment.prefixes.reduce((sum, { assignable }) => sum + assignable, 0n)),
    String(segment.mtu ?? ""),
    segment.boots === true ? "yes" : "no",
    numbered(segment.vlan, segment.vlanPool),
    numbered(segment.vni, segment.vniPool),
    stateOf(segment),
  ],
};

/** A number, with the pool that gave it. */
const numbered = (value: number | undefined, pool: string | undefined): string =>
  value === undefined ? "" : pool === undefined ? String(value) : `${value} (${pool})`;

/** `draining`, or which of its prefixes are. */
function stateOf({ state, prefixes: all }: Segment): string {
  if (state === "draining") return state;
  return all.flatMap((one) => (one.state === "draining" ? [`${one.prefix} draining`] : [])).join(", ");
}

function said(segment: Segment | undefined, options: OperatorOptions): void {
  if (segment !== undefined)
    process.stdout.write(
      `${options.json === true ? json(segment) : `segment ${segment.name}: ${prefixes(segment)}`}\n`,
    );
}
