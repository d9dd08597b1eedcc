import { type Address, formatAddress, parseAddress, plus, width } from "./address.ts";
import { isMalformed, Malformed } from "./malformed.ts";

/** A network: its first address (host bits zero) and its length in bits. */
export interface Prefix {
  readonly address: Address;
  readonly length: number;
}

/** Reads `10.0.0.0/24` or `fd00::/64`; host bits that are set are an error, not a guess. */
export function parsePrefix(text: string): Prefix | Malformed {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (!match) return new Malformed("not a prefix (want address/length)");
  const address = parseAddress(match[1]!);
  if (isMalformed(address)) return address;
  const length = Number(match[2]);
  if (length > width(address)) return new Malformed("prefix length out of range");
  if (network(address, length) !== address) return new Malformed("host bits are set in the prefix");
  return { address, length };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix.address)}/${prefix.length}`;
}

/** The address with its host bits cleared. */
export function network(address: Address, length: number): Address {
  if (typeof address === "number") return length === 0 ? 0 : (address & (0xffffffff << (32 - length))) >>> 0;
  return (address >> BigInt(128 - length)) << BigInt(128 - length);
}

export function contains(prefix: Prefix, address: Address): boolean {
  return typeof prefix.address === typeof address && network(address, prefix.length) === prefix.address;
}

/** The last address of the prefix: for IPv4 shorter than /31, its broadcast address. */
export function last(prefix: Prefix): Address {
  return plus(prefix.address, size(prefix) - 1n);
}

/** How many addresses the prefix spans. */
export function size(prefix: Prefix): bigint {
  return 1n << BigInt(width(prefix.address) - prefix.length);
}

/** The IPv4 netmask of this length. */
export function netmask(length: number): number {
  return length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0;
}

/** Whether two prefixes share an address. */
export function overlaps(a: Prefix, b: Prefix): boolean {
  return contains(a, b.address) || contains(b, a.address);
}
