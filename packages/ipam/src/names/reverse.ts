import { type Address, isIPv4, type Prefix, assertParsed } from "@firstlight/wire";
import { type DomainName, nameText, parseName } from "@firstlight/wire/dns";

const IN_ADDR = assertParsed(parseName("in-addr.arpa"), "in-addr.arpa");
const IP6 = assertParsed(parseName("ip6.arpa"), "ip6.arpa");

/** The label of each octet of an address, its length first. */
const OCTETS = Array.from({ length: 256 }, (_, octet) => `${String.fromCharCode(String(octet).length)}${octet}`);

/** The owner of an address's PTR record: `12.0.64.127.in-addr.arpa` (RFC 1035 §3.5), 32 nibbles below `ip6.arpa` (RFC 3596 §2.5). */
export function reverseName(address: Address): DomainName {
  if (isIPv4(address)) {
    const low = OCTETS[address & 255]! + OCTETS[(address >>> 8) & 255]!;
    return (low + OCTETS[(address >>> 16) & 255]! + OCTETS[address >>> 24]! + IN_ADDR) as DomainName;
  }
  let labels = "";
  for (const nibble of address.toString(16).padStart(32, "0")) labels = `\x01${nibble}${labels}`;
  return (labels + IP6) as DomainName;
}

/** The address whose PTR record this name owns; `undefined` for any other name. */
export function addressOfReverse(owner: DomainName): Address | undefined {
  if (owner.endsWith(IN_ADDR)) return addressOfOctets(owner);
  if (owner.length !== 64 + IP6.length || !owner.endsWith(IP6)) return undefined;
  let digits = ""; // the lowest nibble is the first label
  for (let at = 0; at < 64; at += 2) {
    if (owner.charCodeAt(at) !== 1) return undefined;
    digits = owner[at + 1]! + digits;
  }
  return /^[0-9a-f]{32}$/.test(digits) ? BigInt(`0x${digits}`) : undefined;
}

/** Four labels from 0 to 255 without leading zeros, the last octet first. */
function addressOfOctets(owner: DomainName): Address | undefined {
  let address = 0;
  let at = 0;
  for (let shift = 0; shift < 32; shift += 8) {
    const octet = Number(owner.slice(at + 1, at + 1 + owner.charCodeAt(at)));
    const label = OCTETS[octet];
    if (label === undefined || !owner.startsWith(label, at)) return undefined;
    address = (address | (octet << shift)) >>> 0;
    at += label.length;
  }
  return owner.length === at + IN_ADDR.length ? address : undefined;
}

/** The zone of one address's PTR record, given the length of its prefix. */
function reverseZoneAt(address: Address, prefixLength: number): string {
  const { step, deepest, labels } = isIPv4(address) ? V4 : V6;
  const kept = Math.min(deepest, Math.max(step, Math.ceil(prefixLength / step) * step)) / step;
  const owner = nameText(reverseName(address)).split(".");
  return owner.slice(labels - kept).join(".");
}

/**
 * The zones that cover a prefix and, if its length is a boundary, nothing else: a /20 is sixteen /24 zones, because its /16 may
 * contain addresses of others. A prefix longer than a /24 shares the zone of its /24 (RFC 2317 delegation is not needed here).
 */
export function reverseZones({ address, length }: Prefix): string[] {
  const { step, deepest } = isIPv4(address) ? V4 : V6;
  if (length >= deepest) return [reverseZoneAt(address, deepest)];
  const aligned = Math.max(step, Math.ceil(length / step) * step);
  const zones: string[] = [];
  for (let n = 0; n < 2 ** (aligned - length); n++) {
    const first = isIPv4(address)
      ? (address + n * 2 ** (32 - aligned)) >>> 0
      : address + (BigInt(n) << BigInt(128 - aligned));
    zones.push(reverseZoneAt(first, aligned));
  }
  return zones;
}

/** Bits per label, the longest zone we make, labels of a full owner before the suffix. */
const V4 = { step: 8, deepest: 24, labels: 4 } as const;
const V6 = { step: 4, deepest: 124, labels: 32 } as const;
