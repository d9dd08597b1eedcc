import {
  type Address,
  formatAddress,
  formatMac,
  isMalformed,
  type Mac,
  parseAddress,
  parseMac,
} from "@firstlight/wire";
import type { Row } from "./model.ts";

/**
 * The key a row's changes carry in the feed: a decimal id, a MAC (`02:f1:00:00:00:01`), or `vrf/address` of a lease, with
 * the length where it is a delegated prefix (`vrf/2001:db8:1::/56`).
 */
export function keyOf(row: Row): string {
  switch (row.kind) {
    case "lease":
      return `${row.vrf}/${formatAddress(row.address)}${row.prefixLength === undefined ? "" : `/${row.prefixLength}`}`;
    case "expected":
      return formatMac(row.mac);
    default:
      return String(row.id);
  }
}

export function readId(key: string): number | undefined {
  return /^\d{1,15}$/.test(key) ? Number(key) : undefined;
}

export function readMacKey(key: string): Mac | undefined {
  const mac = parseMac(key);
  return isMalformed(mac) ? undefined : mac;
}

/** What the key of a lease names. */
export interface LeaseKey {
  readonly vrf: string;
  readonly address: Address;
  readonly prefixLength?: number;
}

/** A VRF's name may hold a slash, an address never; and an address is no length. */
export function readLeaseKey(key: string): LeaseKey | undefined {
  const length = /\/(\d{1,3})$/.exec(key);
  if (!length) return readAddressKey(key);
  const read = readAddressKey(key.slice(0, length.index));
  return read && { ...read, prefixLength: Number(length[1]) };
}

function readAddressKey(key: string): LeaseKey | undefined {
  const at = key.lastIndexOf("/");
  const address = parseAddress(key.slice(at + 1));
  return at < 0 || isMalformed(address) ? undefined : { vrf: key.slice(0, at), address };
}
