import { EVENT_LIMITS } from "@firstlight/api-client";
import {
  type Address,
  formatAddress,
  formatMac,
  isMalformed,
  parseAddress,
  parseMac,
  parsePrefix,
  type Prefix,
} from "@firstlight/wire";
import { invalid } from "./error.ts";

/** Fields of a request as values, or INVALID_ARGUMENT with the field's name. */

export function macOf(text: string, field: string): string {
  const mac = parseMac(text);
  if (isMalformed(mac)) throw invalid(field, "mac-malformed");
  return formatMac(mac);
}

export function addressOf(text: string, field: string): Address {
  const address = parseAddress(text);
  if (isMalformed(address)) throw invalid(field, "address-malformed");
  return address;
}

export function addressText(text: string, field: string): string {
  return formatAddress(addressOf(text, field));
}

export function prefixOf(text: string, field: string): Prefix {
  const prefix = parsePrefix(text);
  if (isMalformed(prefix)) throw invalid(field, "field-malformed", { fault: prefix.because });
  return prefix;
}

/** W3C trace id: 32 hex digits, not all zero. Empty is none. */
export function traceOf(text: string, field: string): string | undefined {
  if (text === "") return undefined;
  if (!/^(?!0{32})[0-9a-f]{32}$/.test(text)) throw invalid(field, "trace-malformed");
  return text;
}

export function textOf(text: string, field: string, most: number, least = 0): string {
  if (text.length < least) throw invalid(field, "field-empty");
  if (text.length > most) throw invalid(field, "field-too-long", { most: `${most} characters` });
  if (text.includes("\0")) throw invalid(field, "field-holds-nul");
  return text;
}

export function detailOf(detail: Readonly<Record<string, string>>, field: string): Record<string, string> {
  const entries = Object.entries(detail);
  if (entries.length > EVENT_LIMITS.keys)
    throw invalid(field, "field-too-many", { most: `${EVENT_LIMITS.keys} entries` });
  return Object.fromEntries(
    entries.map(([key, value]) => [
      textOf(key, `${field} key`, EVENT_LIMITS.key, 1),
      textOf(value, `${field}[${key.slice(0, EVENT_LIMITS.key)}]`, EVENT_LIMITS.value),
    ]),
  );
}

export function oneOf<const T extends string>(words: readonly T[], text: string, field: string): T {
  const word = words.find((other) => other === text);
  if (word === undefined) throw invalid(field, "field-not-one-of", { words: words.join(", ") });
  return word;
}

/** A page's size: 0 means `usual`. */
export function pageSize(size: number, usual: number, most: number, field = "page_size"): number {
  if (size > most) throw invalid(field, "field-too-large", { most: String(most) });
  return size === 0 ? usual : size;
}
