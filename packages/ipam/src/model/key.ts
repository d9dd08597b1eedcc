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
 * The key of a row's changes in the feed: a decimal id, a MAC (`02:f1:00:00:00:01`), or `vrf/address` of a lease, with
 * the length if it is a delegated prefix (`vrf/2001:db8:1::/56`).
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

/** The parts of a lease's key. */
export interface LeaseKey {
  readonly vrf: string;
  readonly address: Address;
  readonly prefixLength?: number;
}

/** The name of a VRF may contain a slash, an address never does; and no address is a length. */
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
