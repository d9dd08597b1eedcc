import { hashName, type Labels, labels, readName } from "./labels.ts";
import { HEADER_BYTES } from "./message.ts";
import { TYPES } from "./registry.ts";

/** What a server must know of a query before it looks anything up. Made once, filled again for each packet. */
export interface Scan {
  id: number;
  /** The second header word as it came. */
  flags: number;
  opcode: number;
  readonly name: Labels;
  qtype: number;
  qclass: number;
  /** Offset behind the question; 12 where there is no question that can be echoed. */
  end: number;
  hasEdns: boolean;
  ednsVersion: number;
  /** Payload the client advertises (RFC 6891 §6.2.3). */
  payloadBytes: number;
  dnssecOk: boolean;
}

export function newScan(): Scan {
  return {
    id: 0,
    flags: 0,
    opcode: 0,
    name: labels(),
    qtype: 0,
    qclass: 0,
    end: HEADER_BYTES,
    hasEdns: false,
    ednsVersion: 0,
    payloadBytes: 0,
    dnssecOk: false,
  };
}

/** Why a packet is no query that can be looked up; `query` when it is one. */
export type Finding =
  | "query"
  | "query-too-short"
  | "is-a-response"
  | "opcode-not-query"
  | "not-one-question"
  | "question-malformed"
  | "records-malformed"
  | "two-opt-records";

/**
 * Reads a query in place, in the order a server must refuse: no allocation, one pass, every offset checked against
 * `length`. Whatever it finds, `into` is safe to answer from: what was not reached is zero.
 */
export function scan(bytes: Uint8Array, length: number, seed: number, into: Scan): Finding {
  into.end = HEADER_BYTES;
  into.qtype = into.qclass = into.ednsVersion = into.payloadBytes = into.name.count = 0;
  into.hasEdns = into.dnssecOk = false;
  if (length < HEADER_BYTES) return "query-too-short";
  into.id = u16(bytes, 0);
  into.flags = u16(bytes, 2);
  into.opcode = (into.flags >>> 11) & 15;
  if ((into.flags & 0x8000) !== 0) return "is-a-response"; // never answered: two servers would answer each other for ever
  if (into.opcode !== 0) return "opcode-not-query";
  if (u16(bytes, 4) !== 1) return "not-one-question"; // RFC 9619 §4
  const next = readName(bytes, HEADER_BYTES, length, "refuse", into.name);
  if (next < 0 || next + 4 > length) return "question-malformed";
  hashName(bytes, seed, into.name);
  into.qtype = u16(bytes, next);
  into.qclass = u16(bytes, next + 2);
  into.end = next + 4;
  return scanRecords(bytes, length, into);
}

/** Steps over what follows the question, looking for OPT in the additional section. */
function scanRecords(bytes: Uint8Array, length: number, into: Scan): Finding {
  const before = u16(bytes, 6) + u16(bytes, 8);
  const count = before + u16(bytes, 10);
  let at = into.end;
  for (let i = 0; i < count; i++) {
    const fixed = readName(bytes, at, length, "skip", SKIPPED);
    if (fixed < 0 || fixed + 10 > length) return "records-malformed";
    const type = u16(bytes, fixed);
    const rdata = fixed + 10;
    const next = rdata + u16(bytes, fixed + 8);
    if (next > length) return "records-malformed";
    if (type === TYPES.of.OPT) {
      if (i < before || fixed !== at + 1 || !optionsFit(bytes, rdata, next)) return "records-malformed";
      if (into.hasEdns) return "two-opt-records"; // RFC 6891 §6.1.1
      into.hasEdns = true;
      into.payloadBytes = u16(bytes, fixed + 2);
      into.ednsVersion = bytes[fixed + 5]!;
      into.dnssecOk = (bytes[fixed + 6]! & 0x80) !== 0;
    }
    at = next;
  }
  return at === length ? "query" : "records-malformed";
}

/** Where names behind the question are read into: only what follows them is wanted. */
const SKIPPED = labels();

function optionsFit(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  while (at + 4 <= end) at += 4 + u16(bytes, at + 2);
  return at === end;
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
