import type { Port } from "@firstlight/datagram";
import type { Client } from "./client.ts";
import type { IPv4 } from "@firstlight/wire";

/** One socket of the server, with its own addresses. */
export interface Listener {
  readonly port: Port;
  /** The UDP port it serves: 67, or another one in a lab. */
  readonly servedPort: number;
  /** The address whose segment clients without a relay are on. */
  readonly segmentAddress: IPv4;
  readonly serverId: IPv4;
}

/** A client's packet and what its reply needs. */
export interface PacketContext {
  readonly client: Client;
  readonly listener: Listener;
  /** Index of the interface it came in on; 0 if the engine does not know it. */
  readonly ifindex: number;
  /** W3C trace id of its boot; none for a renewal long after the boot. */
  readonly trace: string | undefined;
}

/** The trace for the change row. */
export const traceOf = ({ trace }: PacketContext): { readonly trace?: string } =>
  trace === undefined ? {} : { trace };
