import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Operator } from "@firstlight/api-client";
import { BOUNDS, type Found, type FoundLease, iscLeases, keaLeases, keaRows } from "@firstlight/ipam/exchange";
import { type Command, Option } from "commander";
import { keaTable } from "../kea.ts";
import { json, table } from "../print.ts";
import { sourceText } from "../source-text.ts";
import { ask, operatorVerb, type OperatorOptions } from "./operator.ts";

type Outcome = Awaited<ReturnType<Operator["exchange"]["importLeases"]>>["outcomes"][number];

interface LeaseOptions extends OperatorOptions {
  readonly from: keyof typeof SOURCES;
  readonly relay?: string;
  readonly segment?: string;
  readonly vrf?: string;
  readonly dryRun?: boolean;
}

/** Where leases come from, by the name the operator gives it. */
const SOURCES = {
  isc: (files: readonly string[]) => iscLeases(files.map(textOf).join("\n"), Date.now()),
  kea: (files: readonly string[]) => keaLeases(files.map(textOf), Date.now()),
  "kea-postgresql": async ([url]: readonly string[]) => keaRows(await keaTable(url!), Date.now()),
} as const satisfies Record<string, (sources: readonly string[]) => Found | Promise<Found>>;

const BATCH = 500;
const MOST_BYTES = 256 * 1024 * 1024;

export function leaseImportVerb(leases: Command): void {
  operatorVerb(leases.command("import <source...>"))
    .description("take over what another DHCP server promised: lease files, oldest first, or the URL of Kea's database")
    .addOption(new Option("--from <server>", "whose they are").choices(Object.keys(SOURCES)).makeOptionMandatory())
    .option("--relay <address>", "only of the segment of this relay (giaddr)")
    .option("--segment <name>", "only of this segment")
    .option("--vrf <name>", "routing context of the addresses (default: default)")
    .option("--dry-run", "say what would become of them")
    .action((sources: readonly string[], options: LeaseOptions) =>
      ask(options, async ({ exchange }) => {
        const found = await SOURCES[options.from](sources);
        const outcomes = await imported(exchange, found.leases, options);
        process.stdout.write(options.json === true ? `${json(outcomes)}\n` : said(outcomes, found, options));
        for (const { row, because } of found.faults.slice(0, BOUNDS.faults))
          process.stderr.write(`${sources.join(" ")}:${row}: ${because}\n`);
        if (outcomes.some(({ is }) => is === "refused")) process.exitCode = 1;
      }),
    );
}

/** dhcpd's strings are bytes. */
const textOf = (file: string): string => sourceText(file, "latin1", MOST_BYTES);

/** A batch a transaction: dhcpd's own leases go on between them, and a second import goes on where one was cut off. */
async function imported(
  exchange: Operator["exchange"],
  leases: readonly FoundLease[],
  { relay = "", segment = "", vrf = "", dryRun = false }: LeaseOptions,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < leases.length; at += BATCH) {
    const batch = leases
      .slice(at, at + BATCH)
      .map(({ expiresAt, ...lease }) => ({ ...lease, expires: timestampFromMs(expiresAt) }));
    const told = await exchange.importLeases({ leases: batch, relay, segment, vrf, dryRun }, { deadlineMs: 60_000 });
    outcomes.push(...told.outcomes);
  }
  return outcomes;
}

function said(outcomes: readonly Outcome[], found: Found, { dryRun = false }: LeaseOptions): string {
  const refused = outcomes.flatMap((one, n) => (one.is === "refused" ? [{ ...one, line: found.leases[n]!.line }] : []));
  const count = (wanted: string): number => outcomes.filter(({ is }) => is === wanted).length;
  const passed = new Map(found.passed);
  for (const { is, because } of outcomes) if (is === "passed") passed.set(because, (passed.get(because) ?? 0) + 1);
  const lines = [
    ...(refused.length > 0
      ? [
          table([
            ["LINE", "REFUSED", "MAC", "BECAUSE"],
            ...refused.map(({ line = "", address, mac, because }) => [String(line), address, mac, because]),
          ]),
        ]
      : []),
    ...[...passed].map(([because, n]) => `left out: ${n} (${because})`),
    `${count("bound")} ${dryRun ? "would be taken over" : "taken over"}, ${count("kept")} promised already, ${refused.length} refused`,
  ];
  return `${lines.join("\n")}\n`;
}
