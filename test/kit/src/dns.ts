import type { Row } from "@firstlight/ipam";
import { formatAddress, isMalformed, type Malformed, assertParsed } from "@firstlight/wire";
import {
  type Data,
  decode,
  type DomainName,
  type Message,
  nameText,
  type NameText,
  parseName,
  type RecordData,
  rowOf,
  TYPES,
} from "@firstlight/wire/dns";

import { domain, iface, lease, name, prefix, segment } from "./rows.ts";

/** Rows of a site with one lease, named `127-64-0-12.lab.test` (A and PTR), and the declared name `www`. */
export const RACK_ROWS: readonly Row[] = [domain(), segment(), prefix(), iface(), lease(), name()];

/** Parses a name that is known to be valid. */
export function dnsName(text: NameText): DomainName {
  return assertParsed(parseName(text), text);
}

/** A record's data as text, its fields in order; the reason where it is malformed. */
export function dataText(data: RecordData | Malformed): string {
  if (isMalformed(data)) return data.because;
  if (data.is === "A" || data.is === "AAAA") return formatAddress(data.address);
  return rowOf(TYPES.of[data.is])!
    .fields.map(([field, shape]) => {
      const value: unknown = Reflect.get(data, field);
      return shape === "name" || shape === "plainName" ? nameText(value as DomainName) : String(value);
    })
    .join(" ");
}

/** Decodes a message; throws where it is malformed. */
export function readMessage(bytes: Uint8Array): Message {
  const message = decode(Uint8Array.from(bytes));
  if (isMalformed(message)) throw new TypeError(`the reply is malformed: ${message.because}`);
  return message;
}

/** The answers as texts such as `A 127.64.0.12`, in order. */
export function answerTexts({ answers }: Message): string[] {
  return answers.map(({ type, data }) => `${TYPES.name(type)} ${answerText(data)}`);
}

function answerText(data: Data): string {
  if (data.is === "A" || data.is === "AAAA") return formatAddress(data.address);
  return Object.entries(data)
    .flatMap(([key, value]) => (key === "is" ? [] : [String(value)]))
    .join(" ");
}

/** A query as TCP carries it: its length in two octets, then the query (RFC 1035 §4.2.2). */
export function framed(query: Uint8Array): Uint8Array {
  return Uint8Array.from([query.length >>> 8, query.length & 255, ...query]);
}
