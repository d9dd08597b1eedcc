import { readFileSync, readlinkSync } from "node:fs";
import { boundEndpoint, inheritedDescriptors, socketInode } from "@firstlight/wire/socket-activation";
import type { Endpoint } from "./port.ts";

/** Descriptors in use: each belongs to one port. */
const taken = new Set<number>();

/**
 * A UDP socket that the service manager (systemd) opened and bound to this address and port; `undefined` where there is
 * none. It is found by its bound address, so a unit needs no names. `isWanted` chooses among sockets bound alike.
 */
export function inheritedSocket(
  at: Endpoint,
  isWanted: (descriptor: number) => boolean = () => true,
): number | undefined {
  for (const descriptor of inheritedDescriptors(process.env, process.pid)) {
    if (taken.has(descriptor) || !isBound(descriptor, at) || !isWanted(descriptor)) continue;
    taken.add(descriptor);
    return descriptor;
  }
  return undefined;
}

/** Returns a descriptor that was not used after all: another engine may take it. */
export function release(descriptor: number): void {
  taken.delete(descriptor);
}

/** Reads /proc, which needs no foreign function. */
function isBound(descriptor: number, at: Endpoint): boolean {
  try {
    const inode = socketInode(readlinkSync(`/proc/self/fd/${descriptor}`));
    const table = readFileSync(`/proc/self/net/udp${typeof at.address === "bigint" ? "6" : ""}`, "latin1");
    const bound = inode === undefined ? undefined : boundEndpoint(table, inode);
    return bound !== undefined && bound.address === at.address && bound.port === at.port;
  } catch {
    return false; // no such descriptor, or no /proc
  }
}
