import { type Address, isIPv4, isMalformed, parseIPv4, type Prefix } from "@firstlight/wire";

/** The owner of an address's PTR record: `12.0.64.127.in-addr.arpa` (RFC 1035 §3.5), 32 nibbles below `ip6.arpa` (RFC 3596 §2.5). */
export function reverseName(address: Address): string {
  if (isIPv4(address)) {
    return `${address & 255}.${(address >>> 8) & 255}.${(address >>> 16) & 255}.${address >>> 24}.in-addr.arpa`;
  }
  return `${address.toString(16).padStart(32, "0").split("").toReversed().join(".")}.ip6.arpa`;
}

/** The address a PTR owner speaks of; `undefined` for any other name. */
export function addressOfReverse(owner: string): Address | undefined {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(owner);
  if (v4) {
    const address = parseIPv4(v4.slice(1).toReversed().join("."));
    return isMalformed(address) ? undefined : address;
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(owner);
  return v6 ? BigInt(`0x${v6[1]!.split(".").toReversed().join("")}`) : undefined;
}

/** The zone of one address's PTR record, given the length of the prefix it lives in. */
export function reverseZoneAt(address: Address, prefixLength: number): string {
  const { step, deepest, labels } = isIPv4(address) ? V4 : V6;
  const kept = Math.min(deepest, Math.max(step, Math.ceil(prefixLength / step) * step)) / step;
  const owner = reverseName(address).split(".");
  return owner.slice(labels - kept).join(".");
}

/**
 * The zones that cover a prefix and, where a boundary allows, nothing else: a /20 is sixteen /24 zones, for its /16 may
 * hold other people's addresses. What is longer than a /24 shares the zone of its /24 (RFC 2317 delegates, we need not).
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
