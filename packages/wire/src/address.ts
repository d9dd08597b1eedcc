import { Malformed } from "./malformed.ts";

/** An IPv4 address as an unsigned 32-bit number in host order: `10.0.0.1` is `0x0a000001`. Compare with `===`. */
export type IPv4 = number;
/** An IPv6 address as a 128-bit bigint in host order. Not for hot paths: those work on bytes. */
export type IPv6 = bigint;
/** Either family: `typeof address` tells which. */
export type Address = IPv4 | IPv6;

export const ANY: IPv4 = 0;
export const BROADCAST: IPv4 = 0xffffffff;

export function isIPv4(address: Address): address is IPv4 {
  return typeof address === "number";
}

/** Bits of an address of this family: 32 or 128. */
export function width(address: Address): 32 | 128 {
  return typeof address === "number" ? 32 : 128;
}

/** Reads dotted or colon notation; a zone index (`%eth0`) is refused. */
export function parseAddress(text: string): Address | Malformed {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

export function parseIPv4(text: string): IPv4 | Malformed {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return new Malformed("not an IPv4 address");
  let value = 0;
  for (const part of match.slice(1)) {
    const octet = Number(part);
    if (octet > 255 || (part.length > 1 && part.startsWith("0"))) return new Malformed("not an IPv4 address");
    value = value * 256 + octet;
  }
  return value;
}

export function parseIPv6(text: string): IPv6 | Malformed {
  const bad = new Malformed("not an IPv6 address");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const low = parseIPv4(dotted[2]!);
    if (typeof low !== "number") return bad;
    return parseIPv6(`${dotted[1]}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`);
  }
  const halves = text.split("::");
  if (halves.length > 2) return bad;
  const head = groups(halves[0]!);
  const tail = halves.length === 2 ? groups(halves[1]!) : [];
  if (!head || !tail) return bad;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return bad;
  return [...head, ...Array<number>(missing).fill(0), ...tail].reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.every((part) => /^[0-9a-f]{1,4}$/i.test(part))
    ? parts.map((part) => Number.parseInt(part, 16))
    : undefined;
}

/** Canonical text: dotted quad, or RFC 5952. */
export function formatAddress(address: Address): string {
  return typeof address === "number" ? formatIPv4(address) : formatIPv6(address);
}

export function formatIPv4(address: IPv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export function formatIPv6(address: IPv6): string {
  const parts = Array.from({ length: 8 }, (_, i) => Number((address >> BigInt(112 - 16 * i)) & 0xffffn));
  let [start, length] = [-1, 1]; // RFC 5952 §4.2.2: a single zero group is not shortened
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && parts[i + run] === 0) run++;
    if (run > length) [start, length] = [i, run];
  }
  const hex = parts.map((part) => part.toString(16));
  if (start < 0) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** Big-endian bytes, 4 or 16. */
export function addressBytes(address: Address): Uint8Array {
  if (typeof address === "number") return Uint8Array.of(address >>> 24, address >>> 16, address >>> 8, address);
  return Uint8Array.from({ length: 16 }, (_, i) => Number((address >> BigInt(120 - 8 * i)) & 255n));
}

/** The address in big-endian bytes; any length but 4 or 16 is Malformed. */
export function addressFrom(bytes: Uint8Array): Address | Malformed {
  if (bytes.length === 4) return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
  if (bytes.length === 16) return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return new Malformed("an address is 4 or 16 bytes");
}

/** The address `offset` further on; the caller keeps it within its prefix. */
export function plus<A extends Address>(address: A, offset: number | bigint): A {
  const from: Address = address;
  return (typeof from === "number" ? (from + Number(offset)) >>> 0 : from + BigInt(offset)) as A;
}
