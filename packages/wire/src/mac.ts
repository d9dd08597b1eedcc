import { Malformed } from "./malformed.ts";

/** A 48-bit MAC address as a number below 2^48: a cheap key, compared with `===`. */
export type Mac = number;

/** Reads `aa:bb:cc:dd:ee:ff`, `aa-bb-…`, `aabb.ccdd.eeff` or twelve hex digits, in any case. */
export function parseMac(text: string): Mac | Malformed {
  const hex = text.replaceAll(/[:.-]/g, "");
  return /^[0-9a-f]{12}$/i.test(hex) ? Number.parseInt(hex, 16) : new Malformed("not a MAC address");
}

/** Lower-case, colon-separated: the one form in logs, files and the API. */
export function formatMac(mac: Mac): string {
  const high = Math.floor(mac / 0x1_0000_0000);
  return `${HEX[high >>> 8]}:${HEX[high & 255]}:${HEX[mac >>> 24]}:${HEX[(mac >>> 16) & 255]}:${HEX[(mac >>> 8) & 255]}:${HEX[mac & 255]}`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function macFrom(bytes: Uint8Array, at = 0): Mac {
  const high = (bytes[at]! << 8) | bytes[at + 1]!;
  const low = ((bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!) >>> 0;
  return high * 0x1_0000_0000 + low;
}

export function macBytes(mac: Mac): Uint8Array {
  const high = Math.floor(mac / 0x1_0000_0000);
  return Uint8Array.of(high >>> 8, high, mac >>> 24, mac >>> 16, mac >>> 8, mac);
}
