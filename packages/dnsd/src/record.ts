import type { DnsRecord } from "@firstlight/ipam";
import { isMalformed, Malformed, Writer } from "@firstlight/wire";
import { CLASSES, MAX_MESSAGE_BYTES, type RecordData, TYPES, writeData } from "@firstlight/wire/dns";

/** A record of a known owner, as the IPAM has it or as the name servers add it. */
export type ServedRecord = Pick<DnsRecord, "data" | "ttlSeconds"> & { readonly type: DnsRecord["type"] | "NS" };

/** The longest RRset we serve. It fits every TCP reply with room to spare; records beyond it are left out, and counted. */
export const MAX_SET_BYTES = 32_768;

/** Type, class, TTL and length of RDATA: what precedes the data behind the owner (RFC 1035 §3.2.1). */
const FIXED_BYTES = 10;

/** Where a record is encoded before it is copied out: a zone has a million of them, each of a few bytes. */
const ROUGH = new Uint8Array(FIXED_BYTES + MAX_MESSAGE_BYTES);

/** A record's bytes behind its owner; Malformed with the reason an operator can act on. A TTL of 0 would stick in resolvers that serve expired answers. */
export function compile(data: RecordData, ttlSeconds: number): Uint8Array | Malformed {
  const writer = new Writer(ROUGH);
  writer.u16(TYPES.of[data.is]).u16(CLASSES.of.IN).u32(Math.max(1, ttlSeconds)).u16(0);
  const fault = writeData(writer, data);
  if (isMalformed(fault)) return fault;
  if (writer.overrun) return new Malformed("RDATA is too long");
  const bytes = writer.done().slice();
  const length = bytes.length - FIXED_BYTES;
  bytes[FIXED_BYTES - 2] = length >>> 8;
  bytes[FIXED_BYTES - 1] = length;
  return bytes;
}
