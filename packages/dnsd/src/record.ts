import { isMalformed, Malformed, parseIPv4, parseIPv6, Writer } from "@firstlight/wire";
import { CLASSES, type Data, encodeData, TYPES } from "@firstlight/wire/dns";

/** One record as people write it: `type` by name, `data` in presentation form, names in it fully qualified. */
export interface RecordText {
  readonly type: "A" | "AAAA" | "CNAME" | "TXT" | "SRV" | "PTR" | "NS";
  readonly data: string;
  readonly ttlSeconds: number;
}

/** The longest RRset we serve. It fits every TCP reply with room to spare; records beyond it are left out, and counted. */
export const MAX_SET_BYTES = 32_768;

/** What stands behind the owner: type, class, TTL, length, data. A TTL of 0 would stick in resolvers that serve expired answers. */
export function compile(type: number, ttlSeconds: number, rdata: Uint8Array): Uint8Array {
  const writer = new Writer(10 + rdata.length);
  writer.u16(type).u16(CLASSES.of.IN).u32(Math.max(1, ttlSeconds)).u16(rdata.length).put(rdata);
  return writer.done();
}

/** RDATA in wire form, names uncompressed; Malformed with the reason an operator can act on. */
export function rdataOf({ type, data }: Pick<RecordText, "type" | "data">): Uint8Array | Malformed {
  const value = READ[type](data);
  return isMalformed(value) ? value : encodeData(value);
}

export function typeOf({ type }: Pick<RecordText, "type">): number {
  return TYPES.of[type];
}

const READ: Readonly<Record<RecordText["type"], (text: string) => Data | Malformed>> = {
  A(text) {
    const address = parseIPv4(text);
    return isMalformed(address) ? address : { is: "A", address };
  },
  AAAA(text) {
    const address = parseIPv6(text);
    return isMalformed(address) ? address : { is: "AAAA", address };
  },
  CNAME: (text) => ({ is: "CNAME", target: text }),
  PTR: (text) => ({ is: "PTR", host: text }),
  NS: (text) => ({ is: "NS", host: text }),
  TXT(text) {
    const strings = stringsOf(text);
    return isMalformed(strings) ? strings : { is: "TXT", strings };
  },
  SRV(text) {
    const match = /^(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})\s+(\S+)$/.exec(text.trim());
    const [priority, weight, port] = (match?.slice(1, 4) ?? []).map(Number) as [number, number, number];
    if (!match || Math.max(priority, weight, port) > 0xffff) return new Malformed("want: priority weight port target");
    return { is: "SRV", priority, weight, port, target: match[4]! };
  },
};

/** Character-strings, quoted or bare (RFC 1035 §5.1); what is longer than 255 octets is cut into as many as it takes. */
function stringsOf(text: string): string[] | Malformed {
  const token = /\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^\s"\\]|\\.)+))\s*/sy;
  const strings: string[] = [];
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) return new Malformed("want character-strings, quoted where they hold blanks");
    const octets = octetsOf(match[1] ?? match[2]!);
    if (octets === undefined) return new Malformed("bad escape in a character-string");
    strings.push(...(octets.match(/.{1,255}/gs) ?? [""]));
  }
  return strings.length > 0 ? strings : [""];
}

/** Escapes undone, one character an octet; what is not ASCII goes out as UTF-8. */
function octetsOf(text: string): string | undefined {
  let octets = "";
  for (const [part] of text.matchAll(/\\\d{3}|\\.|[^\\]+/gsu)) {
    const code = /^\\\d{3}$/.test(part) ? Number(part.slice(1)) : -1;
    if (code > 255) return undefined;
    if (code >= 0) octets += String.fromCharCode(code);
    else octets += Buffer.from(part.startsWith("\\") ? part.slice(1) : part, "utf8").toString("latin1");
  }
  return octets;
}
