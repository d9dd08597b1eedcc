import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Operator } from "@firstlight/api-client";
import { type Command, InvalidArgumentError } from "commander";
import { type Columns, printList } from "../list.ts";
import { json, table, timeText } from "../print.ts";
import { ask, operatorVerb, type OperatorOptions } from "./operator.ts";

type Service = Operator["history"];
type WhoHad = Awaited<ReturnType<Service["whoHad"]>>;
type WhatHad = Pick<Awaited<ReturnType<Service["whatHad"]>>, "tenancies" | "arrivals" | "because">;
type Entry = Awaited<ReturnType<Service["audit"]>>["entries"][number];
type Use = Awaited<ReturnType<Service["getUtilisation"]>>["prefixes"][number];
type Filter = Pick<Parameters<Service["audit"]>[0], "actor" | "kind" | "key" | "from" | "to">;
type Time = ReturnType<typeof timestampFromMs>;

interface AuditOptions extends OperatorOptions {
  readonly actor?: string;
  readonly kind?: string;
  readonly key?: string;
  readonly from?: Time;
  readonly to?: Time;
  readonly most: number;
}

export function historyCommands(program: Command): void {
  const history = program.command("history").description("who had an address, and who changed what");
  operatorVerb(history.command("who <address>"))
    .description("who had this address")
    .option("--at <time>", "2026-11-21T06:22:44, in this machine's time zone; default: now", time)
    .option("--vrf <name>", "only in this routing context")
    .action((address: string, options: OperatorOptions & { at?: Time; vrf?: string }) =>
      ask(options, async ({ history: service }) => {
        const { at, vrf = "" } = options;
        const told = await service.whoHad({ address, vrf, ...(at && { at }) });
        process.stdout.write(`${options.json === true ? json(told) : who(address, told)}\n`);
      }),
    );
  operatorVerb(history.command("of <mac>"))
    .description("what a device had, on every segment, the newest first")
    .option("--most <count>", "at most so many", Number, 100)
    .action((mac: string, options: OperatorOptions & { most: number }) =>
      ask(options, async ({ history: service }) => {
        const told = await all(service, mac, options.most);
        process.stdout.write(`${options.json === true ? json(told) : of(mac, told)}\n`);
      }),
    );
  operatorVerb(history.command("audit"))
    .description("every change and who made it, the newest first")
    .option("--actor <name>", "operator/root, daemon/dhcpd, config")
    .option("--kind <kind>", "segment, prefix, lease, interface, name, machine, ...")
    .option("--key <key>", "an address, a MAC, an id, a machine's name")
    .option("--from <time>", "not before", time)
    .option("--to <time>", "before", time)
    .option("--most <count>", "at most so many", Number, 100)
    .action((options: AuditOptions) =>
      ask(options, async ({ history: service }) => {
        const { actor = "", kind = "", key = "", from, to, most } = options;
        const filter = { actor, kind, key, ...(from && { from }), ...(to && { to }) };
        await printList(entryPages(service, filter, most), AUDIT, options);
      }),
    );
  operatorVerb(program.command("utilisation"))
    .description("how full each prefix is, and in how many days it will be")
    .action((options: OperatorOptions) =>
      ask(options, async ({ history: service }) => {
        const { prefixes } = await service.getUtilisation({});
        process.stdout.write(`${options.json === true ? json(prefixes) : used(prefixes)}\n`);
      }),
    );
}

function time(text: string): Time {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError("want a time, for example 2026-11-21T06:22:44");
  return timestampFromMs(ms);
}

async function* entryPages(service: Service, filter: Filter, most: number): AsyncGenerator<readonly Entry[]> {
  let left = most;
  for (let pageToken = ""; left > 0;) {
    const page = await service.audit({ ...filter, pageSize: Math.min(left, 1000), pageToken });
    yield page.entries;
    left -= page.entries.length;
    if (page.nextPageToken === "") return;
    pageToken = page.nextPageToken;
  }
}

async function all(service: Service, mac: string, most: number): Promise<WhatHad> {
  const first = await service.whatHad({ mac, pageSize: Math.min(most, 1000) });
  const { tenancies, arrivals, because } = first;
  for (let pageToken = first.nextPageToken; pageToken !== "" && tenancies.length < most;) {
    const page = await service.whatHad({ mac, pageSize: Math.min(most - tenancies.length, 1000), pageToken });
    tenancies.push(...page.tenancies);
    pageToken = page.nextPageToken;
  }
  return { tenancies, arrivals, because };
}

const of = (mac: string, { tenancies, arrivals, because }: WhatHad): string =>
  tenancies.length === 0
    ? `${mac}: ${because}`
    : [
        table([
          ["ADDRESS", "VRF", "SEGMENT", "MACHINE", "FROM", "UNTIL", "STATE"],
          ...tenancies.map((one) => [
            one.address,
            one.vrf,
            one.segment,
            one.machine,
            timeText(one.from),
            timeText(one.until),
            one.state,
          ]),
        ]),
        ...arrivals.map((arrival) => `${timeText(arrival.at)}  ${arrivalText(arrival)}`),
      ].join("\n");

/** `moved from bmc 10.0.0.20 to host 10.0.8.7`. */
function arrivalText({ kind, segment, address, from, was }: WhatHad["arrivals"][number]): string {
  const to = `${segment} ${address}`;
  if (kind === "moved") return `moved from ${`${from} ${was}`.trim()} to ${to}`;
  if (kind === "alternates") return `is on ${`${from} ${was}`.trim()} and on ${to} at once`;
  return from === "" ? `came to ${to}, as predicted` : `came to ${to}, predicted on ${from}`;
}

const who = (address: string, { tenancies, because }: WhoHad): string =>
  tenancies.length === 0
    ? `${address}: ${because}`
    : table([
        ["ADDRESS", "VRF", "MAC", "MACHINE", "SEGMENT", "FROM", "UNTIL", "STATE"],
        ...tenancies.map((one) => [
          one.address,
          one.vrf,
          one.mac,
          one.machine,
          one.segment,
          timeText(one.from),
          timeText(one.until),
          one.state,
        ]),
      ]);

const AUDIT: Columns<Entry> = {
  head: ["AT", "ACTOR", "KIND", "KEY", "DID", "WHAT"],
  cells: ({ at, actor, kind, key, did, changed }) => [timeText(at), actor, kind, key, did, what(did, changed)],
};

/** What tells a person which row it is. */
const NAMING: ReadonlySet<string> = new Set(["name", "prefix", "mac", "owner", "value", "because"]);

/** `mtu 1500 → 9000`; of what is new or gone, which row it is: `--json` has it all. */
function what(did: string, changed: Entry["changed"]): string {
  if (did === "changed")
    return changed.map(({ field, before, after }) => `${field} ${before ?? "none"} → ${after ?? "none"}`).join(", ");
  return changed.flatMap(({ field, before, after }) => (NAMING.has(field) ? (after ?? before ?? []) : [])).join(" ");
}

const used = (prefixes: readonly Use[]): string =>
  table([
    ["SEGMENT", "PREFIX", "OF", "BOUND", "KEPT", "RESTING", "IDLE", "USED", "A DAY", "FULL IN"],
    ...prefixes.flatMap((one) => [
      [one.segment, one.prefix, ...counts(one), one.perDay?.toFixed(1) ?? "", outlook(one)],
      ...one.pools.map((pool) => ["", `  ${pool.from}-${pool.to}`, ...counts(pool), "", pool.roles.join(" ")]),
    ]),
  ]);

const counts = ({ assignable, bound, kept, resting, idle }: Use | Use["pools"][number]): string[] => [
  ...[assignable, bound, kept, resting, idle].map(String),
  `${(((bound + kept + resting) / Math.max(1, assignable)) * 100).toFixed(1)} %`,
];

/** When it is full; of what drains, how far it is from empty. */
function outlook({ remainder, daysToExhaustion, because }: Use): string {
  if (remainder !== undefined) return remainder === 0 ? "drained" : `draining, ${remainder} left`;
  return daysToExhaustion === undefined ? because : `${daysToExhaustion.toFixed(1)} days`;
}
