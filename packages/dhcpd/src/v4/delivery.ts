import { ANY, BROADCAST, type IPv4 } from "@firstlight/wire";
import { BROADCAST_FLAG, CLIENT_PORT, SERVER_PORT } from "@firstlight/wire/dhcp4";
import type { Client } from "./client.ts";

export interface Destination {
  readonly address: IPv4;
  readonly port: number;
}

export type ReplyType = "OFFER" | "ACK" | "NAK";

/**
 * Where a reply goes: RFC 2131 §4.1, in the order the RFC asks; the relay's port by RFC 8357. A client without an
 * address answers no ARP and our sockets set no hardware address, so what should be unicast to `yiaddr` is broadcast.
 * Serving on another port than 67 (a laboratory), clients answer where they asked from.
 */
export function destination(client: Client, type: ReplyType, servedPort: number): Destination {
  const { giaddr, ciaddr } = client.message;
  const clientPort = servedPort === SERVER_PORT ? CLIENT_PORT : client.from.port;
  if (giaddr !== ANY) return { address: giaddr, port: client.relayPort ?? SERVER_PORT };
  if (type === "NAK") return { address: BROADCAST, port: clientPort };
  if (ciaddr !== ANY) return { address: ciaddr, port: clientPort };
  return { address: BROADCAST, port: clientPort };
}

/** The flags of a reply: the client's, and for a NAK through a relay the broadcast bit, RFC 2131 §4.3.2. */
export function replyFlags(client: Client, type: ReplyType): number {
  const { flags, giaddr } = client.message;
  return type === "NAK" && giaddr !== ANY ? flags | BROADCAST_FLAG : flags;
}
