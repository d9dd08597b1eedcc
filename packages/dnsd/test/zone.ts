import { encode, type Message, query, type Ask } from "@firstlight/wire/dns";
import { isMalformed } from "@firstlight/wire";
import { answer, type Limits, newScratch } from "../src/answer.ts";
import type { RecordText } from "../src/record.ts";
import { Zones, type ZoneText } from "../src/zones.ts";
import { read } from "./site.ts";

export const FRESH: Limits = { payloadBytes: 1232, isStream: false, isStale: false };

export function zone(name: string, row: Partial<ZoneText> = {}): ZoneText {
  const [refreshSeconds, retrySeconds, expireSeconds, minimumSeconds] = [3600, 600, 604_800, 5];
  const soa = { mname: `ns1.${name}`, rname: `hostmaster.${name}`, refreshSeconds, retrySeconds, expireSeconds };
  return { name, ttlSeconds: 60, soa: { ...soa, minimumSeconds }, ...row };
}

/** One record as `CNAME www.lab.test`. */
export function record(text: string, ttlSeconds = 60): RecordText {
  const blank = text.indexOf(" ");
  return { type: text.slice(0, blank) as RecordText["type"], data: text.slice(blank + 1), ttlSeconds };
}

/** Zones of these names that hold what is said: `{ "www.lab.test": ["A 127.64.0.1"] }`. */
export function zones(
  held: Readonly<Record<string, readonly string[]>>,
  names: readonly (string | ZoneText)[] = ["lab.test"],
): Zones {
  const built = new Zones(
    names.map((name) => (typeof name === "string" ? zone(name) : name)),
    7,
  );
  for (const [owner, texts] of Object.entries(held)) {
    built.put(
      owner,
      texts.map((text) => record(text)),
    );
  }
  built.serial = 0xfffffff0;
  return built;
}

/** The reply's bytes, or why there is none. */
export function bytesFor(of: Zones, bytes: Uint8Array, limits = FRESH): Uint8Array | string {
  const out = new Uint8Array(limits.isStream ? 65_535 : limits.payloadBytes).fill(0xee);
  const said = answer(of, bytes, bytes.length, out, limits, newScratch());
  return typeof said === "string" ? said : out.slice(0, said);
}

/** The reply to a query that differs from a plain one as told. */
export function ask(of: Zones, asked: Partial<Ask>, change: Partial<Message> = {}, limits = FRESH): Message {
  const reply = bytesFor(of, wire(asked, change), limits);
  if (typeof reply === "string") throw new TypeError(`silence: ${reply}`);
  return read(reply);
}

export function wire(asked: Partial<Ask>, change: Partial<Message> = {}): Uint8Array {
  const bytes = encode({ ...query({ id: 77, name: "www.lab.test", type: "A", ...asked }), ...change });
  if (isMalformed(bytes)) throw new TypeError(bytes.because);
  return bytes;
}
