import { writeFileSync } from "node:fs";
import { type Operator, textChunks } from "@firstlight/api-client";
import { FORMATS, type Format, SHEET_KINDS, type SheetKind } from "@firstlight/ipam/exchange";
import { type Command, Option } from "commander";
import { leaseImportVerb } from "./lease-import.ts";
import { json } from "../print.ts";
import { sourceText } from "../source-text.ts";
import { ask, operatorVerb, type OperatorOptions } from "./operator.ts";

type Imported = Awaited<ReturnType<Operator["exchange"]["import"]>>;
type Row = Imported["rows"][number];
type SheetFault = Imported["faults"][number];

interface SheetOptions extends OperatorOptions {
  readonly kind: SheetKind;
  readonly format: Format;
}

/** A sheet is written under a lock: a big one takes its time. */
const DEADLINE_MS = 300_000;

export function exchangeCommands(program: Command): void {
  const ipam = program.command("ipam").description("sheets of the IPAM, in and out");
  sheetVerb(ipam.command("export"))
    .description("every row of a kind")
    .option("--out <file>", "default: standard output")
    .action((options: SheetOptions & { out?: string }) =>
      ask(options, async ({ exchange }) => {
        let text = "";
        for await (const piece of exchange.export(options)) text += piece.text;
        if (options.out === undefined) process.stdout.write(text);
        else writeFileSync(options.out, text);
      }),
    );
  sheetVerb(ipam.command("import <file>"))
    .description("all rows of a sheet or, with every fault, none; rows that it does not name stay")
    .option("--dry-run", "say what would change, and what would be refused")
    .option("--segment <name>", "of NetBox's rows, which name none")
    .action((file: string, options: SheetOptions & { dryRun?: boolean; segment?: string }) =>
      ask(options, async ({ exchange }) => {
        const { kind, format, dryRun = false, segment = "" } = options;
        const text = sourceText(file, "utf8", MOST_BYTES);
        const told = await exchange.import(sheetOf({ kind, format, dryRun, segment }, text), {
          deadlineMs: DEADLINE_MS,
        });
        process.stdout.write(options.json === true ? `${json(told)}\n` : said(told, dryRun));
        if (told.faults.length === 0) return;
        if (options.json !== true)
          process.stderr.write(told.faults.map((fault) => `${file}: ${where(fault)}\n`).join(""));
        process.exitCode = 1;
      }),
    );
  leaseImportVerb(program.commands.find((command) => command.name() === "leases")!);
}

/** The first message says what it is; each brings a piece. */
function* sheetOf(head: SheetHead, text: string): Generator<Partial<SheetHead> & { readonly text: string }> {
  let isFirst = true;
  for (const piece of textChunks(text)) {
    yield isFirst ? { ...head, text: piece } : { text: piece };
    isFirst = false;
  }
}

interface SheetHead {
  readonly kind: SheetKind;
  readonly format: Format;
  readonly dryRun: boolean;
  readonly segment: string;
}

function sheetVerb(command: Command): Command {
  return operatorVerb(command)
    .addOption(new Option("--kind <kind>", "of what").choices(SHEET_KINDS).makeOptionMandatory())
    .addOption(new Option("--format <format>", "how it is written").choices(FORMATS).default("csv"));
}

const MOST_BYTES = 64_000_000;

function said({ faults, rows, changed, unchanged, notes }: Imported, dryRun: boolean): string {
  if (faults.length > 0) return "";
  const more = changed - rows.length;
  const lines = [
    ...notes.map((note) => `note: ${where(note)}`),
    ...rows.map(line),
    ...(more > 0 ? [`and ${more} more`] : []),
    `${changed} ${dryRun ? "would change" : "changed"}, ${unchanged} as they were`,
  ];
  return `${lines.join("\n")}\n`;
}

/** `row 3, column vlan: want …`. */
function where({ row, column, because }: SheetFault): string {
  const place = [row > 0 && `row ${row}`, column !== "" && `column ${column}`].filter(Boolean).join(", ");
  return place === "" ? because : `${place}: ${because}`;
}

/** `~ segments bmc: mtu 1500 → 9000`, `+ prefixes bmc 10.0.0.0/24`. */
function line({ kind, key, did, cells }: Row): string {
  if (did === "created") return `+ ${kind} ${key}`;
  return `~ ${kind} ${key}: ${cells.map(({ column, before, after }) => `${column} ${before || "none"} → ${after || "none"}`).join(", ")}`;
}
