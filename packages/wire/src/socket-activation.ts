import type { Address } from "./address.ts";

/** sd_listen_fds(3): the first descriptor that a service manager passes on. */
const FIRST_DESCRIPTOR = 3;
const MOST_DESCRIPTORS = 1024;

/** The descriptors passed to this process by `LISTEN_PID` and `LISTEN_FDS` (sd_listen_fds(3)). */
export function inheritedDescriptors(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly number[] {
  if (env["LISTEN_PID"] !== String(pid) || !/^\d{1,4}$/.test(env["LISTEN_FDS"] ?? "")) return [];
  const count = Math.min(Number(env["LISTEN_FDS"]), MOST_DESCRIPTORS);
  return Array.from({ length: count }, (_, i) => FIRST_DESCRIPTOR + i);
}

/** The inode in the target of a `/proc/self/fd` link; `undefined` when that is no socket. */
export function socketInode(link: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(link)?.[1];
}

/** The local address and port of a socket in /proc/net/udp, udp6, tcp or tcp6 (Documentation/networking/proc_net_tcp.rst). */
export function boundEndpoint(table: string, inode: string): { address: Address; port: number } | undefined {
  for (const line of table.split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[9] !== inode) continue;
    const [address = "", port = ""] = fields[1]!.split(":");
    return { address: read(address), port: Number.parseInt(port, 16) };
  }
  return undefined;
}

/** Words of four bytes, each printed by a little-endian machine. */
function read(hex: string): Address {
  const words = (hex.match(/.{8}/g) ?? []).map((word) => Number.parseInt(word.match(/../g)!.toReversed().join(""), 16));
  return words.length === 1 ? words[0]! : words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
}
