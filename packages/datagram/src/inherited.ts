import { readFileSync, readlinkSync } from "node:fs";
import type { Endpoint } from "./port.ts";

/** sd_listen_fds(3): descriptors are handed over from here on. */
const FIRST = 3;
const MOST = 1024;
/** Taken already: a descriptor is one port's. */
const taken = new Set<number>();

export type Kind = "udp" | "tcp";

/**
 * A socket that whoever started this process has opened and bound to this address and port, systemd's socket activation
 * (`LISTEN_PID`, `LISTEN_FDS`); `undefined` where there is none. It is found by what it is bound to, so a unit needs no
 * names. `isWanted` chooses among several that are bound alike.
 */
export function inherited(
  kind: Kind,
  at: Endpoint,
  isWanted: (descriptor: number) => boolean = () => true,
): number | undefined {
  for (const descriptor of handedOver(process.env, process.pid)) {
    if (taken.has(descriptor) || !isBound(descriptor, kind, at) || !isWanted(descriptor)) continue;
    taken.add(descriptor);
    return descriptor;
  }
  return undefined;
}

/** Gives one back that was not used after all: another engine may take it. */
export function release(descriptor: number): void {
  taken.delete(descriptor);
}

/** The descriptors that the environment says are this process's. */
export function handedOver(env: NodeJS.ProcessEnv, pid: number): readonly number[] {
  if (env["LISTEN_PID"] !== String(pid) || !/^\d{1,4}$/.test(env["LISTEN_FDS"] ?? "")) return [];
  return Array.from({ length: Math.min(Number(env["LISTEN_FDS"]), MOST) }, (_, i) => FIRST + i);
}

/** Asked of /proc, which needs no foreign function. */
function isBound(descriptor: number, kind: Kind, at: Endpoint): boolean {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
    const table = readFileSync(`/proc/self/net/${kind}${typeof at.address === "bigint" ? "6" : ""}`, "latin1");
    const bound = inode === undefined ? undefined : boundTo(table, inode);
    return bound !== undefined && bound.address === at.address && bound.port === at.port;
  } catch {
    return false; // no such descriptor, or no such system
  }
}

/** The local address and port of a socket in /proc/net/udp, udp6, tcp or tcp6 (Documentation/networking/proc_net_tcp.rst). */
export function boundTo(table: string, inode: string): Endpoint | undefined {
  for (const line of table.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[9] !== inode) continue;
    const [address = "", port = ""] = fields[1]!.split(":");
    return { address: read(address), port: Number.parseInt(port, 16) };
  }
  return undefined;
}

/** Words of four bytes, each as a little-endian machine prints it. */
function read(hex: string): number | bigint {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => Number.parseInt(word.match(/../g)!.toReversed().join(""), 16));
  return words.length === 1 ? words[0]! : words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
}
