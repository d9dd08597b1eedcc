import { type Address, contains, isIPv4, plus } from "@firstlight/wire";
import type { PrefixRow } from "../model/model.ts";

/** Offsets in a prefix that may be given at all, both ends included. IPv4: numbers; IPv6: bigint. */
export type Span =
  | { readonly first: number; readonly last: number }
  | { readonly first: bigint; readonly last: bigint };

/**
 * What a prefix has to give: all but its reserved head, and but its network and broadcast address where it has them.
 * A /31 has neither (RFC 3021); IPv6 keeps offset 0 for the routers' anycast (RFC 4291 §2.6.1) except in a /127 (RFC 6164).
 */
export function spanOf({ prefix, reserved }: Pick<PrefixRow, "prefix" | "reserved">): Span | undefined {
  if (isIPv4(prefix.address)) {
    const ends = prefix.length < 31 ? 1 : 0;
    const first = Math.max(reserved, ends);
    const last = 2 ** (32 - prefix.length) - 1 - ends;
    return first <= last ? { first, last } : undefined;
  }
  const first = BigInt(Math.max(reserved, prefix.length < 127 ? 1 : 0));
  const last = (1n << BigInt(128 - prefix.length)) - 1n;
  return first <= last ? { first, last } : undefined;
}

/** Whether this prefix may give this address to anybody. */
export function isAssignable(row: PrefixRow, address: Address): boolean {
  if (!contains(row.prefix, address)) return false;
  const span = spanOf(row);
  if (!span) return false;
  const offset = offsetOf(row, address);
  return offset >= span.first && offset <= span.last && !isSetAside(row, address);
}

/** The gateway, and what the operator excluded or reserved. */
export function isSetAside(row: PrefixRow, address: Address): boolean {
  if (address === row.gateway || row.excluded.includes(address)) return true;
  return row.reservedRanges?.some(({ first, last }) => address >= first && address <= last) === true;
}

export function offsetOf(row: PrefixRow, address: Address): number | bigint {
  if (isIPv4(address)) return address - (row.prefix.address as number);
  return address - (row.prefix.address as bigint);
}

export function addressAt(row: Pick<PrefixRow, "prefix">, offset: number | bigint): Address {
  return plus(row.prefix.address, offset);
}
