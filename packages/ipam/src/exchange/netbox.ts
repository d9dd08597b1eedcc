import { contains, formatAddress, isMalformed, parseAddress, parsePrefix, type Prefix } from "@firstlight/wire";
import { plainOf, textOf } from "../fields/sheet-column.ts";
import { KINDS, type SheetKind } from "./kinds.ts";
import type { Cells, Fault, Line } from "./sheet.ts";

/** NetBox's sheets in our terms: which kinds they become, what was left out on purpose, what has no place. */
export interface Translated {
  readonly sheets: readonly { readonly kind: SheetKind; readonly lines: readonly Line[] }[];
  readonly notes: readonly Fault[];
  readonly faults: readonly Fault[];
}

/** What is there already: rows as `stored` gives them, of segments what tells them apart. */
export interface Place {
  readonly segments: readonly Cells[];
  readonly prefixes: readonly Cells[];
  /** Where rows go that name no segment; "" for none. */
  readonly segment: string;
}

/** NetBox's prefixes and IP addresses have a status, which none of our sheets has. */
export function isNetbox(kind: SheetKind, lines: readonly Line[]): boolean {
  const isKnown = kind === "prefixes" || kind === "reservations";
  return isKnown && lines[0] !== undefined && Object.keys(lines[0].cells).some((name) => columnOf(name) === "status");
}

export function translate(kind: SheetKind, lines: readonly Line[], place: Place): Translated {
  const found: Found = { prefixes: [], reservations: [], excluded: new Map(), notes: [], faults: [] };
  const rows = lines.map(({ row, cells }) => {
    const named = Object.entries(cells).map(([name, text]) => [columnOf(name), text.trim()]);
    return { row, cells: Object.fromEntries(named) as Cells };
  });
  const dropped = Object.keys(rows[0]?.cells ?? {}).filter((name) => !READ.has(name));
  if (dropped.length > 0) found.notes.push({ because: `not imported: ${dropped.join(", ")}` });
  for (const line of rows) (kind === "prefixes" ? prefixLine : addressLine)(line, place, found);
  const { notes, faults, reservations } = found;
  const prefixes = [...found.prefixes, ...excludedLines(found)];
  return {
    sheets: [
      { kind: "prefixes", lines: prefixes },
      { kind: "reservations", lines: reservations },
    ],
    notes,
    faults,
  };
}

interface Found {
  readonly prefixes: Line[];
  readonly reservations: Line[];
  /** Addresses that are somebody's without a MAC, by the row of their prefix. */
  readonly excluded: Map<Cells, { readonly row: number; readonly addresses: string[] }>;
  readonly notes: Fault[];
  readonly faults: Fault[];
}

/** Heads of NetBox's import (`is_pool`) and of its export (`Is a pool`) in one word. */
const ALIASES: Readonly<Record<string, string>> = {
  is_a_pool: "is_pool",
  pool: "is_pool",
  ip_address: "address",
  mac_address: "mac",
  cf_mac: "mac",
  cf_mac_address: "mac",
  cf_segment: "segment",
  cf_gateway: "gateway",
};
const READ = new Set(["prefix", "status", "vrf", "vlan", "is_pool", "segment", "gateway", "address", "mac"]);

function columnOf(head: string): string {
  const word = head
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
  return ALIASES[word] ?? word;
}

/** Rows that are no prefixes of a segment, and no addresses of somebody, by NetBox's status. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  container: "a container nests outside the prefixes of segments: left out",
  deprecated: "deprecated: left out",
  dhcp: "given by DHCP: left out",
  slaac: "given by SLAAC: left out",
};

const isLeftOut = ({ row, cells }: Line, found: Found): boolean => {
  const because = LEFT_OUT[(cells["status"] ?? "").toLowerCase()];
  if (because !== undefined) found.notes.push({ row, column: "status", because });
  return because !== undefined;
};

function prefixLine(line: Line, place: Place, found: Found): void {
  const { row, cells } = line;
  if (isLeftOut(line, found)) return;
  if (/^(true|yes|1)$/i.test(cells["is_pool"] ?? "")) {
    found.notes.push({ row, column: "is_pool", because: "a pool of NetBox is no broadcast domain: left out" });
    return;
  }
  const segment = segmentFor(cells, place);
  if (typeof segment !== "string") found.faults.push({ row, ...segment });
  else {
    const gateway = cells["gateway"];
    found.prefixes.push({ row, cells: { segment, prefix: cells["prefix"] ?? "", ...(gateway && { gateway }) } });
  }
}

/** The segment that a row names, that was named for all, that has the prefix, or that has its VLAN: the first of these. */
function segmentFor(cells: Cells, { segments, prefixes, segment }: Place): string | Omit<Fault, "row"> {
  const vrf = vrfOf(cells);
  const inVrf = vrf === undefined ? segments : segments.filter((one) => one["vrf"] === vrf);
  const names = new Set(inVrf.map(({ name }) => name));
  const vid = /(?:^|\()(\d+)\)?$/.exec(cells["vlan"] ?? "")?.[1];
  const byVlan = vid === undefined ? [] : inVrf.filter(({ vlan }) => vlan === vid);
  const said = cells["segment"] || segment;
  const owner = prefixes.find((one) => one["prefix"] === cells["prefix"] && names.has(one["segment"]));
  const name = said || owner?.["segment"] || (byVlan.length === 1 ? byVlan[0]!["name"] : undefined);
  if (name === undefined)
    return {
      column: "vlan",
      because: `${byVlan.length === 0 ? "no segment has" : "several segments have"} this VLAN: name one with --segment or a column segment`,
    };
  if (vrf !== undefined && !names.has(name)) return { column: "vrf", because: `segment ${name} is not in vrf ${vrf}` };
  return name;
}

/** NetBox's global table is our `default`; its export writes `red (65000:1)`. */
function vrfOf(cells: Cells): string | undefined {
  const vrf = (cells["vrf"] ?? "").replace(/ \([^)]*\)$/, "");
  return vrf === "" ? undefined : vrf.toLowerCase() === "global" ? "default" : vrf;
}

/** With a MAC it is a reservation; without one it is somebody's who does not ask us: never given. */
function addressLine(line: Line, { segments, prefixes }: Place, found: Found): void {
  const { row, cells } = line;
  if (isLeftOut(line, found)) return;
  const address = parseAddress((cells["address"] ?? "").split("/")[0]!);
  if (isMalformed(address)) {
    found.faults.push({ row, column: "address", because: address.because });
    return;
  }
  const vrf = vrfOf(cells) ?? "default";
  const names = new Set(segments.filter((one) => one["vrf"] === vrf).map(({ name }) => name));
  const prefix = prefixes.find((one) => names.has(one["segment"]) && contains(prefixOf(one), address));
  const text = formatAddress(address);
  if (!prefix) found.faults.push({ row, column: "address", because: `no prefix of vrf ${vrf} holds ${text}` });
  else if (cells["mac"])
    found.reservations.push({ row, cells: { segment: prefix["segment"]!, address: text, mac: cells["mac"] } });
  else if (prefix["gateway"] === text) found.notes.push({ row, because: `${text} is the gateway already` });
  else {
    const group = found.excluded.get(prefix) ?? { row, addresses: [] };
    group.addresses.push(text);
    found.excluded.set(prefix, group);
    found.notes.push({ row, because: `${text} has no MAC: it becomes an excluded address of ${prefix["prefix"]}` });
  }
}

const prefixOf = (cells: Cells): Prefix => parsePrefix(cells["prefix"]!) as Prefix; // as the database has it

/** Prefixes with more excluded addresses than before, in the order in which they came. */
function excludedLines({ excluded }: Found): Line[] {
  const column = KINDS.prefixes.columns["excluded"]!;
  return [...excluded].map(([cells, { row, addresses }]) => {
    const before = plainOf(column, cells["excluded"]!) as readonly string[];
    const all = textOf([...new Set([...before, ...addresses])])!;
    return { row, cells: { segment: cells["segment"]!, prefix: cells["prefix"]!, excluded: all } };
  });
}
