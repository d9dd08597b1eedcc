import { parseIPv4, parseIPv6 } from "../address.ts";
import { isMalformed, Malformed } from "../malformed.ts";
import { parseName } from "./name.ts";
import type { RecordData } from "./records.ts";

/** The types whose data is declared as text. */
export type DeclaredType = "A" | "AAAA" | "CNAME" | "TXT" | "SRV" | "PTR" | "NS";

/** Data in presentation form (RFC 1035 §5.1), the names in it fully qualified; Malformed with the reason an operator can act on. */
export function parseData(type: DeclaredType, text: string): RecordData | Malformed {
  return PARSE[type](text);
}

const PARSE: Readonly<Record<DeclaredType, (text: string) => RecordData | Malformed>> = {
  A(text) {
    const address = parseIPv4(text);
    return isMalformed(address) ? address : { is: "A", address };
  },
  AAAA(text) {
    const address = parseIPv6(text);
    return isMalformed(address) ? address : { is: "AAAA", address };
  },
  CNAME(text) {
    const target = parseName(text);
    return isMalformed(target) ? target : { is: "CNAME", target };
  },
  PTR(text) {
    const host = parseName(text);
    return isMalformed(host) ? host : { is: "PTR", host };
  },
  NS(text) {
    const host = parseName(text);
    return isMalformed(host) ? host : { is: "NS", host };
  },
  TXT(text) {
    const strings = stringsOf(text);
    return isMalformed(strings) ? strings : { is: "TXT", strings };
  },
  SRV(text) {
    const match = /^(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})\s+(\S+)$/.exec(text.trim());
    const [priority, weight, port] = (match?.slice(1, 4) ?? []).map(Number) as [number, number, number];
    if (!match || Math.max(priority, weight, port) > 0xffff) return new Malformed("want: priority weight port target");
    const target = parseName(match[4]!);
    return isMalformed(target) ? target : { is: "SRV", priority, weight, port, target };
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
