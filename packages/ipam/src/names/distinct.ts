import type { DnsRecord } from "./dns-record.ts";

/** The records of one owner without duplicates (RFC 2181 §5). Of two records with the same data, the last one's TTL stays. */
export function distinct(records: readonly DnsRecord[]): readonly DnsRecord[] {
  if (records.length < 2) return records;
  return [...new Map(records.map((record) => [keyOf(record), record])).values()];
}

function keyOf({ type, data }: DnsRecord): string {
  return JSON.stringify([type, data], (_, part: unknown) => (typeof part === "bigint" ? part.toString(16) : part));
}
