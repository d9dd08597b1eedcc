import type { NameText } from "./name.ts";
import type { Data } from "./records.ts";

/** A DNS message as a value, RFC 1035 §4. For tests, tools and clients; the server's hot path uses `scan`. */
export interface Message {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  /** AA, TC, RD, RA of RFC 1035 §4.1.1; AD and CD of RFC 4035 §3. */
  readonly isAuthoritative: boolean;
  readonly isTruncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly isAuthentic: boolean;
  readonly checkingDisabled: boolean;
  /** All twelve bits, the upper eight from EDNS. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Without the OPT record, which is `edns`. */
  readonly additionals: readonly ResourceRecord[];
  readonly edns?: Edns;
}

export interface Question {
  readonly name: NameText;
  readonly type: number;
  readonly class: number;
}

export interface ResourceRecord {
  readonly owner: NameText;
  readonly type: number;
  readonly class: number;
  readonly ttlSeconds: number;
  readonly data: Data;
}

/** EDNS(0), RFC 6891 §6.1: the OPT record's fields. */
export interface Edns {
  /** Largest UDP payload the sender takes. */
  readonly payloadBytes: number;
  readonly version: number;
  /** DO, RFC 3225. */
  readonly dnssecOk: boolean;
  readonly options: readonly { readonly code: number; readonly bytes: Uint8Array }[];
}

export const HEADER_BYTES = 12;
/** The payload that crosses every path unfragmented: what the servers of the field agreed on for 2020. */
export const EDNS_PAYLOAD_BYTES = 1232;
/** Longest UDP reply without EDNS, RFC 1035 §2.3.4. */
export const PLAIN_PAYLOAD_BYTES = 512;
export const MAX_MESSAGE_BYTES = 65_535;

/** Bits of the second header word, RFC 1035 §4.1.1 and RFC 4035 §3. */
export const FLAGS = {
  isResponse: 0x8000,
  isAuthoritative: 0x0400,
  isTruncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  isAuthentic: 0x0020,
  checkingDisabled: 0x0010,
} as const;
