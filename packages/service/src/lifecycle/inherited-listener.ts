import { readFileSync, readlinkSync } from "node:fs";
import type { Address } from "@firstlight/wire";
import { boundEndpoint, inheritedDescriptors, socketInode } from "@firstlight/wire/socket-activation";

/** Descriptors in use: each belongs to one server. */
const taken = new Set<number>();

/**
 * The descriptor of a TCP socket that the service manager (systemd) opened and bound to this address and port (an IPv4
 * address as a number, IPv6 as a bigint); `undefined` where there is none.
 */
export function inheritedListener(at: { readonly address: Address; readonly port: number }): number | undefined {
  const descriptor = inheritedDescriptors(process.env, process.pid).find((one) => !taken.has(one) && isBound(one, at));
  if (descriptor !== undefined) taken.add(descriptor);
  return descriptor;
}

function isBound(descriptor: number, at: { readonly address: Address; readonly port: number }): boolean {
  try {
    const inode = socketInode(readlinkSync(`/proc/self/fd/${descriptor}`));
    const table = readFileSync(`/proc/self/net/tcp${typeof at.address === "bigint" ? "6" : ""}`, "latin1");
    const bound = inode === undefined ? undefined : boundEndpoint(table, inode);
    return bound !== undefined && bound.address === at.address && bound.port === at.port;
  } catch {
    return false; // no such descriptor, or no /proc
  }
}
