import { formatAddress, formatMac, isMalformed, parseAddress, parseIPv4, parseMac } from "@firstlight/wire";
import type { Fault } from "../sheet.ts";
import { entry6, NO_ADDRESS } from "./duid.ts";
import { bytesOf, type Entry, FOREVER, type Found, given, inLine, settled } from "./found.ts";
import { type Token, tokens } from "./token.ts";

/** A statement up to its `;`, or a block's head and body. */
interface Statement {
  readonly words: readonly Token[];
  readonly body?: readonly Statement[];
}

/** dhcpd.leases(5), of IPv4 and IPv6: a log of which the last entry of an address holds. Text is latin1: a character per byte. */
export function iscLeases(text: string, now: number): Found {
  const entries = new Map<string, Entry>();
  const faults: Fault[] = [];
  let isBigEndian = false;
  for (const statement of statements(tokens(text), faults)) {
    const [kind, name] = statement.words;
    if (kind?.text === "authoring-byte-order") isBigEndian = name?.text === "big-endian";
    if (kind?.text === "ia-na") {
      for (const [address, entry] of entriesOf(statement, isBigEndian))
        if (entry) entries.set(address, inLine(entry, kind.line));
        else faults.push({ row: kind.line, because: `no lease: ${address.slice(0, 40)}` });
    }
    if (kind?.text === "ia-ta" || kind?.text === "ia-pd")
      entries.set(`${kind.text} ${name?.text}`, { is: "passed", because: NO_ADDRESS[kind.text] });
    if (kind?.text !== "lease" || !statement.body) continue;
    const address = name?.text ?? "";
    const entry = isMalformed(parseIPv4(address)) ? undefined : entryOf(address, statement.body);
    if (entry) entries.set(address, inLine(entry, kind.line));
    else faults.push({ row: kind.line, because: `no lease: ${address.slice(0, 40)}` });
  }
  return settled(entries, faults, now);
}

/** Whole statements; what the end of the file cuts off is a fault, and no entry: dhcpd writes it again when it starts. */
function* statements(source: Iterable<Token>, faults: Fault[]): Generator<Statement> {
  const open: { words: Token[]; body: Statement[] }[] = [];
  let words: Token[] = [];
  let last = 1;
  for (const token of source) {
    last = token.line;
    if (token.is === "mark" && token.text === "{") {
      open.push({ words, body: [] });
      words = [];
    } else if (token.is === "mark" && token.text === "}") {
      const closed = open.pop();
      words = [];
      if (!closed) faults.push({ row: token.line, because: "a } too many" });
      else if (open.length > 0) open.at(-1)!.body.push(closed);
      else yield closed;
    } else if (token.is === "mark" && token.text === ";") {
      const statement = { words };
      words = [];
      if (open.length > 0) open.at(-1)!.body.push(statement);
      else yield statement;
    } else words.push(token);
  }
  if (open.length > 0 || words.length > 0) faults.push({ row: last, because: "the last entry is cut off: left out" });
}

function entryOf(address: string, body: readonly Statement[]): Entry | undefined {
  const state = find(body, "binding", "state")?.[0]?.text ?? "active";
  if (state !== "active") return { is: "passed", because: `binding state ${state}` };
  const [type, hardware] = find(body, "hardware") ?? [];
  const mac = parseMac(padded(hardware?.text ?? ""));
  if (type?.text !== "ethernet" || isMalformed(mac)) return { is: "passed", because: "no Ethernet address" };
  const expiresAt = timeOf(find(body, "ends"));
  if (expiresAt === undefined) return undefined;
  return {
    is: "lease",
    at: timeOf(find(body, "cltt")) ?? timeOf(find(body, "starts")) ?? 0,
    lease: {
      address,
      mac: formatMac(mac),
      expiresAt,
      ...given("clientId", data(find(body, "uid"))),
      ...given("circuitId", data(find(body, "option", "agent.circuit-id"))),
      ...given("remoteId", data(find(body, "option", "agent.remote-id"))),
    },
  };
}

/** The addresses of an identity association. Its name is the IAID, in the order of the writing machine's bytes, and the DUID. */
function* entriesOf({ words, body = [] }: Statement, isBigEndian: boolean): Generator<[string, Entry | undefined]> {
  const name = data(words.slice(1)) ?? new Uint8Array();
  const [iaid, duid] = [name.slice(0, 4), name.slice(4)];
  if (!isBigEndian) iaid.reverse();
  for (const { words: head, body: inner } of body) {
    if (head[0]?.text !== "iaaddr" || !inner) continue;
    const address = parseAddress(head[1]?.text ?? "");
    const state = find(inner, "binding", "state")?.[0]?.text ?? "active";
    const expiresAt = timeOf(find(inner, "ends"));
    if (isMalformed(address)) yield [head[1]?.text ?? "", undefined];
    else if (state !== "active")
      yield [formatAddress(address), { is: "passed", because: `of DHCPv6: binding state ${state}` }];
    else if (expiresAt === undefined || duid.length === 0) yield [formatAddress(address), undefined];
    else {
      const at = timeOf(find(body, "cltt")) ?? 0;
      yield [formatAddress(address), entry6({ address: formatAddress(address), expiresAt, duid, iaid, at })];
    }
  }
}

/** What follows these words in the one statement that begins with them. */
function find(body: readonly Statement[], ...start: readonly string[]): readonly Token[] | undefined {
  return body.find(({ words }) => start.every((word, n) => words[n]?.text === word))?.words.slice(start.length);
}

/** `3 2026/11/18 10:00:00` (UTC), `epoch 1763460000`, `never`. */
function timeOf(words: readonly Token[] | undefined): number | undefined {
  const [first, day, time] = (words ?? []).map(({ text }) => text);
  if (first === "never") return FOREVER;
  if (first === "epoch") return /^\d{1,11}$/.test(day ?? "") ? Number(day) * 1000 : undefined;
  const match = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(`${day} ${time}`);
  if (!match) return undefined;
  const [year, month, date, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return Date.UTC(year, month - 1, date, hour, minute, second);
}

/** A string's bytes, or hex between colons. */
function data(words: readonly Token[] | undefined): Uint8Array | undefined {
  const [value] = words ?? [];
  if (value?.is !== "string") return value && bytesOf(value.text);
  return Uint8Array.from(value.text, (char) => char.codePointAt(0)! & 0xff);
}

/** dhcpd leaves out leading zeros in some versions. */
const padded = (mac: string): string =>
  mac
    .split(":")
    .map((pair) => pair.padStart(2, "0"))
    .join(":");
