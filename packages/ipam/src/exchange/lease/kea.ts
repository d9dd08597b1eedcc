import { formatAddress, formatIPv4, formatMac, isMalformed, macFrom, parseAddress, parseIPv4 } from "@firstlight/wire";
import type { Fault } from "../sheet.ts";
import { entry6, NO_ADDRESS } from "./duid.ts";
import { bytesOf, type Entry, FOREVER, type Found, type FoundLease, given, inLine, settled } from "./found.ts";

/** A lease of Kea as its file and its tables `lease4` and `lease6` have it; bytes as hex, with or without colons. */
export interface KeaRow {
  readonly address: string;
  readonly hwaddr: string;
  readonly clientId: string;
  readonly validSeconds: number;
  /** Seconds since the epoch. */
  readonly expire: number;
  readonly state: number;
  readonly userContext: string;
  /** Of IPv6 alone. */
  readonly six?: { readonly duid: string; readonly iaid: number; readonly type: number };
}

/** Kea's `Lease::TYPE_*`; 0 is an address of an interface. */
const NO_ADDRESSES: Readonly<Record<number, string>> = { 1: NO_ADDRESS["ia-ta"], 2: NO_ADDRESS["ia-pd"] };

/** Kea's `Lease::STATE_*`. */
const STATES: Readonly<Record<number, string>> = { 1: "declined", 2: "expired and reclaimed", 3: "released" };
/** Kea's `Lease::INFINITY_LFT`. */
const INFINITY = 4_294_967_295;

const COLUMNS = {
  4: ["address", "hwaddr", "client_id", "valid_lifetime", "expire"],
  6: ["address", "duid", "iaid", "lease_type", "valid_lifetime", "expire"],
} as const;

/**
 * Kea's memfile: a log of which the last line of an address holds. Of a server that was cleaning up (LFC) there are
 * several files; their texts come in the order `.2` (or `.completed`), `.1`, the file itself.
 */
export function keaLeases(texts: readonly string[], now: number): Found {
  const entries = new Map<string, Entry>();
  const faults: Fault[] = [];
  for (const text of texts) readFile(text, entries, faults);
  return settled(entries, faults, now);
}

/** The same of the rows of its tables. */
export function keaRows(rows: Iterable<KeaRow>, now: number): Found {
  const entries = new Map<string, Entry>();
  for (const row of rows) entries.set(keyOf(row), entryOf(row));
  return settled(entries, [], now);
}

/** A delegated prefix may begin with an address that is given too. */
const keyOf = ({ address, six }: KeaRow): string => (six && six.type !== 0 ? `${six.type} ${address}` : address);

function readFile(text: string, entries: Map<string, Entry>, faults: Fault[]): void {
  let head: Map<string, number> | undefined;
  let family: 4 | 6 = 4;
  let line = 0;
  for (const written of linesOf(text)) {
    line++;
    if (written === "") continue;
    const cells = written.split(","); // Kea quotes nothing and writes a comma as &#x2c
    if (!head) {
      head = new Map(cells.map((name, n) => [name.trim(), n]));
      family = head.has("duid") ? 6 : 4;
      const missing = COLUMNS[family].find((name) => !head!.has(name));
      if (missing === undefined) continue;
      const because = `no lease file of Kea for IPv${family}: the column is missing`;
      faults.push({ row: line, column: missing, because });
      return;
    }
    const cell = (name: string): string => unescaped(cells[head!.get(name) ?? -1] ?? "");
    const row: KeaRow = {
      address: cell("address"),
      hwaddr: cell("hwaddr"),
      clientId: cell("client_id"),
      validSeconds: Number(cell("valid_lifetime") || Number.NaN),
      expire: Number(cell("expire") || Number.NaN),
      state: Number(cell("state") || 0),
      userContext: cell("user_context"),
      ...(family === 6 && {
        six: { duid: cell("duid"), iaid: Number(cell("iaid") || Number.NaN), type: Number(cell("lease_type")) },
      }),
    };
    if (
      cells.length < COLUMNS[family].length ||
      isMalformed(family === 6 ? parseAddress(row.address) : parseIPv4(row.address)) ||
      !Number.isSafeInteger(row.expire) ||
      !(row.validSeconds >= 0)
    )
      faults.push({ row: line, because: "no lease: left out" });
    else entries.set(keyOf(row), inLine(entryOf(row), line));
  }
}

function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    yield text.slice(at, end === -1 ? text.length : end).replace(/\r$/, "");
    at = end === -1 ? text.length : end + 1;
  }
}

const unescaped = (cell: string): string =>
  cell.replaceAll(/&#x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));

function entryOf(row: KeaRow): Entry {
  const { address, hwaddr, clientId, validSeconds, expire, state, userContext, six } = row;
  if (state !== 0) return { is: "passed", because: STATES[state] ?? `state ${state}` };
  if (validSeconds === 0) return { is: "passed", because: "deleted" };
  if (six) return entryOf6(row, six);
  const hardware = bytesOf(hwaddr);
  if (hardware?.length !== 6) return { is: "passed", because: "no Ethernet address" };
  const ip = parseIPv4(address);
  if (isMalformed(ip)) return { is: "passed", because: "no IPv4 address" };
  const lease: FoundLease = {
    address: formatIPv4(ip),
    mac: formatMac(macFrom(hardware)),
    expiresAt: validSeconds >= INFINITY ? FOREVER : Math.min(expire * 1000, FOREVER),
    ...given("clientId", bytesOf(clientId)),
    ...relayOptions(userContext),
  };
  return { is: "lease", lease, at: (expire - validSeconds) * 1000 };
}

function entryOf6({ address, hwaddr, validSeconds, expire }: KeaRow, six: NonNullable<KeaRow["six"]>): Entry {
  const ip = parseAddress(address);
  const because = NO_ADDRESSES[six.type] ?? (six.type === 0 ? undefined : `of DHCPv6: lease type ${six.type}`);
  if (because !== undefined) return { is: "passed", because };
  const duid = bytesOf(six.duid);
  if (isMalformed(ip) || !duid || !Number.isInteger(six.iaid)) return { is: "passed", because: "no lease of DHCPv6" };
  const iaid = new Uint8Array(4);
  new DataView(iaid.buffer).setUint32(0, six.iaid); // Kea's database keeps it signed
  return entry6({
    address: formatAddress(ip),
    expiresAt: validSeconds >= INFINITY ? FOREVER : Math.min(expire * 1000, FOREVER),
    duid,
    iaid,
    hardware: bytesOf(hwaddr),
    at: (expire - validSeconds) * 1000,
  });
}

/** Option 82, kept with `store-extended-info`: text before Kea 2.3, a map with `sub-options` since. */
function relayOptions(userContext: string): Pick<FoundLease, "circuitId" | "remoteId"> {
  if (!userContext.includes("relay-agent-info")) return {};
  const info = relayInfo(userContext);
  const bytes = (typeof info === "string" ? bytesOf(info) : undefined) ?? new Uint8Array();
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at + 2 <= bytes.length; at += 2 + bytes[at + 1]!) {
    const value = bytes.subarray(at + 2, at + 2 + bytes[at + 1]!);
    if (value.length === bytes[at + 1]) found.set(bytes[at]!, value);
  }
  return { ...given("circuitId", found.get(1)), ...given("remoteId", found.get(2)) }; // RFC 3046 §3.1, §3.2
}

function relayInfo(userContext: string): unknown {
  try {
    const info = (JSON.parse(userContext) as { ISC?: { "relay-agent-info"?: unknown } } | null)?.ISC?.[
      "relay-agent-info"
    ];
    return typeof info === "object" && info !== null ? (info as { "sub-options"?: unknown })["sub-options"] : info;
  } catch {
    return undefined; // a user's own context, which need not be ours to read
  }
}
