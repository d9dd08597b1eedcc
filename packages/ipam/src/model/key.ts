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

/** The key a row's changes carry in the feed: a decimal id, a MAC (`02:f1:00:00:00:01`), or `vrf/address` of a lease. */
export function keyOf(row: Row): string {
  switch (row.kind) {
    case "lease":
      return `${row.vrf}/${formatAddress(row.address)}`;
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

/** A VRF's name may hold a slash, an address never. */
export function readLeaseKey(key: string): { readonly vrf: string; readonly address: Address } | undefined {
  const at = key.lastIndexOf("/");
  const address = parseAddress(key.slice(at + 1));
  return at < 0 || isMalformed(address) ? undefined : { vrf: key.slice(0, at), address };
}
