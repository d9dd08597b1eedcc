import { type Ask, encode, type Message, parseData, query } from "@firstlight/wire/dns";
import { dnsName, readMessage } from "@firstlight/kit";
import { isMalformed } from "@firstlight/wire";
import { answer, type Limits, newScratch } from "../src/answer.ts";
import type { ServedRecord } from "../src/record.ts";
import { Zones, type DeclaredZone } from "../src/zones.ts";

export const FRESH: Limits = { payloadBytes: 1232, isStream: false, isStale: false };

export function zone(name: string, row: Partial<DeclaredZone> = {}): DeclaredZone {
  const [refreshSeconds, retrySeconds, expireSeconds, minimumSeconds] = [3600, 600, 604_800, 5];
  const soa = { mname: `ns1.${name}`, rname: `hostmaster.${name}`, refreshSeconds, retrySeconds, expireSeconds };
  return { name, ttlSeconds: 60, soa: { ...soa, minimumSeconds }, ...row };
}

/** One record as `CNAME www.lab.test`. */
export function record(text: string, ttlSeconds = 60): ServedRecord {
  const blank = text.indexOf(" ");
  const type = text.slice(0, blank) as ServedRecord["type"];
  return { type, data: parseData(type, text.slice(blank + 1)), ttlSeconds };
}

/** Zones of these names that hold these records: `{ "www.lab.test": ["A 127.64.0.1"] }`. */
export function zones(
  held: Readonly<Record<string, readonly string[]>>,
  names: readonly (string | DeclaredZone)[] = ["lab.test"],
): Zones {
  const built = new Zones(
    names.map((name) => (typeof name === "string" ? zone(name) : name)),
    7,
  );
  for (const [owner, texts] of Object.entries(held)) {
    built.put(
      dnsName(owner),
      texts.map((text) => record(text)),
    );
  }
  built.serial = 0xfffffff0;
  return built;
}

/** The reply's bytes, or why there is none. */
export function bytesFor(of: Zones, bytes: Uint8Array, limits = FRESH): Uint8Array | string {
  const out = new Uint8Array(limits.isStream ? 65_535 : limits.payloadBytes).fill(0xee);
  const length = answer(of, bytes, bytes.length, out, limits, newScratch());
  return typeof length === "string" ? length : out.slice(0, length);
}

/** The reply to a query with these changes to a plain one. */
export function ask(of: Zones, asked: Partial<Ask>, change: Partial<Message> = {}, limits = FRESH): Message {
  const reply = bytesFor(of, wire(asked, change), limits);
  if (typeof reply === "string") throw new TypeError(`no reply: ${reply}`);
  return readMessage(reply);
}

export function wire(asked: Partial<Ask>, change: Partial<Message> = {}): Uint8Array {
  const bytes = encode({ ...query({ id: 77, name: "www.lab.test", type: "A", ...asked }), ...change });
  if (isMalformed(bytes)) throw new TypeError(bytes.because);
  return bytes;
}
