import type { Endpoint } from "../port.ts";
import { AF_INET, AF_INET6 } from "./constants.ts";

/** Bytes kept for one `sockaddr_in` (16) or `sockaddr_in6` (28). */
export const SOCKADDR_BYTES = 32;

/** Writes the address as the kernel reads it; gives its length. `scope` is the device of a link-local IPv6 address. */
export function writeEndpoint(view: DataView, at: number, { address, port }: Endpoint, scope = 0): number {
  view.setUint16(at + 2, port);
  if (typeof address === "number") {
    view.setUint16(at, AF_INET, true);
    view.setUint32(at + 4, address);
    return 16;
  }
  view.setUint16(at, AF_INET6, true);
  view.setUint32(at + 4, 0);
  writeIPv6(view, at + 8, address);
  view.setUint32(at + 24, scope, true);
  return 28;
}

export function readEndpoint(view: DataView, at: number): Endpoint {
  const port = view.getUint16(at + 2);
  const is6 = view.getUint16(at, true) === AF_INET6;
  return { address: is6 ? readIPv6(view, at + 8) : view.getUint32(at + 4), port };
}

export function readIPv6(view: DataView, at: number): bigint {
  return (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
}

export function writeIPv6(view: DataView, at: number, address: bigint): void {
  view.setBigUint64(at, address >> 64n); // wraps modulo 2^64 by itself
  view.setBigUint64(at + 8, address);
}
