import type { Port } from "@firstlight/datagram";
import type { Client } from "./client.ts";
import type { IPv4 } from "@firstlight/wire";

/** One socket of the server and what stands for it. */
export interface Line {
  readonly port: Port;
  /** The port number it serves on: 67, or another one in a laboratory. */
  readonly servedPort: number;
  /** Finds the segment of clients without a relay. */
  readonly segmentAddress: IPv4;
  readonly serverId: IPv4;
}

/** One packet on its way to its answer. */
export interface Exchange {
  readonly client: Client;
  readonly line: Line;
  /** Interface it came in on; 0 where the engine cannot tell. */
  readonly ifindex: number;
  /** W3C trace id of the boot it belongs to; a renewal long after belongs to none. */
  readonly trace: string | undefined;
}

/** The trace as a change row carries it. */
export const traced = ({ trace }: Exchange): { readonly trace?: string } => (trace === undefined ? {} : { trace });
