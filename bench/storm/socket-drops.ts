import { readFileSync } from "node:fs";

/** Datagrams that the kernel dropped because a socket's buffer was full, by local UDP port, of all open sockets. */
export function socketDrops(): ReadonlyMap<number, number> {
  const drops = new Map<number, number>();
  for (const line of readFileSync("/proc/net/udp", "latin1").split("\n").slice(1)) {
    const fields = line.trim().split(/\s+/);
    const port = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
    const dropped = Number(fields.at(-1));
    if (port > 0 && dropped > 0) drops.set(port, (drops.get(port) ?? 0) + dropped);
  }
  return drops;
}
