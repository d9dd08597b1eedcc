import {
  formatAddress,
  formatPrefix,
  isIPv4,
  isMalformed,
  Malformed,
  parseAddress,
  parsePrefix,
} from "@firstlight/wire";

/** What a pool gives: numbers, addresses, or prefixes of one length. */
export type PoolKind = "integer" | "ipv4" | "ipv6" | "prefix";

/** A pool's form: its kind and, where it delegates prefixes, their length. */
export interface PoolForm {
  readonly is: PoolKind;
  readonly length?: number | undefined;
}

/** Slots from `first` on and before `end`. */
export interface SlotRange {
  readonly first: bigint;
  readonly end: bigint;
}

/** The value of a slot as people write it: `4001`, `10.0.0.7`, `2001:db8:7::/48`. */
export function showSlot({ is, length = 128 }: PoolForm, slot: bigint): string {
  if (is === "integer") return String(slot);
  if (is === "ipv4") return formatAddress(Number(slot));
  if (is === "ipv6") return formatAddress(slot);
  return formatPrefix({ address: slot << BigInt(128 - length), length });
}

/** Reads one value: a range of one. */
export function readSlot(form: PoolForm, text: string): bigint | Malformed {
  const range = readRange(form, text);
  if (isMalformed(range)) return range;
  return range.end === range.first + 1n ? range.first : bad(`${text} is more than one value`);
}

/**
 * Reads `100-199`, `7`, `10.0.0.1-10.0.0.9`, a whole prefix (all its addresses, or all the prefixes it has room for), or
 * from one prefix to another, as `showRange` writes what a pool delegates.
 */
export function readRange(form: PoolForm, text: string): SlotRange | Malformed {
  if (text.includes("/")) return readPrefixes(form, text);
  const dash = text.indexOf("-");
  const first = readValue(form, dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : readValue(form, text.slice(dash + 1));
  if (typeof first !== "bigint") return first;
  if (typeof last !== "bigint") return last;
  return last < first ? bad(`${text} ends before it begins`) : { first, end: last + 1n };
}

/** The fewest words for a list of ranges. */
export function showRange(form: PoolForm, { first, end }: SlotRange): string {
  return end === first + 1n ? showSlot(form, first) : `${showSlot(form, first)}-${showSlot(form, end - 1n)}`;
}

function readValue({ is }: PoolForm, text: string): bigint | Malformed {
  const word = text.trim();
  if (is === "prefix") return bad(`${word}: want a prefix`);
  if (is === "integer") return /^\d{1,18}$/.test(word) ? BigInt(word) : bad(`${word}: want a whole number`);
  const address = parseAddress(word);
  if (isMalformed(address)) return address;
  return isIPv4(address) === (is === "ipv4") ? BigInt(address) : bad(`${word}: want ${NAMES[is]}`);
}

function readPrefixes(form: PoolForm, text: string): SlotRange | Malformed {
  const [from, to = from, ...more] = text.split("-").map((word) => readPrefix(form, word.trim()));
  if (more.length > 0) return bad(`${text}: want one range`);
  if (isMalformed(from)) return from;
  if (isMalformed(to)) return to;
  return to!.first < from!.first ? bad(`${text} ends before it begins`) : { first: from!.first, end: to!.end };
}

function readPrefix({ is, length }: PoolForm, text: string): SlotRange | Malformed {
  const prefix = parsePrefix(text);
  if (isMalformed(prefix)) return prefix;
  const isV4: boolean = isIPv4(prefix.address);
  if (is === "integer" || isV4 !== (is === "ipv4")) return bad(`${text}: want ${NAMES[is]}`);
  const unit = is === "prefix" ? length! : isV4 ? 32 : 128;
  if (prefix.length > unit) return bad(`${text} has no room for a /${unit}`);
  const first = BigInt(prefix.address) >> BigInt((isV4 ? 32 : 128) - unit);
  return { first, end: first + (1n << BigInt(unit - prefix.length)) };
}

const NAMES = { integer: "whole numbers", ipv4: "IPv4", ipv6: "IPv6", prefix: "IPv6 prefixes" } as const;

const bad = (because: string): Malformed => new Malformed(because);
