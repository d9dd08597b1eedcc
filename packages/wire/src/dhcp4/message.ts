import type { IPv4 } from "../address.ts";
import type { Options } from "./options.ts";

/** A DHCPv4 message, RFC 2131 §2: the fixed header as fields, everything else in `options`. */
export interface Message {
  /** 1 BOOTREQUEST, 2 BOOTREPLY. */
  readonly op: number;
  readonly htype: number;
  readonly hlen: number;
  readonly hops: number;
  readonly xid: number;
  readonly secs: number;
  /** The top bit asks for a broadcast reply (`BROADCAST_FLAG`). */
  readonly flags: number;
  readonly ciaddr: IPv4;
  readonly yiaddr: IPv4;
  readonly siaddr: IPv4;
  readonly giaddr: IPv4;
  /** Sixteen bytes, of which the first `hlen` count. */
  readonly chaddr: Uint8Array;
  /** The `sname` and `file` fields as text up to the first zero; empty where option overload took them. */
  readonly sname: string;
  readonly file: string;
  readonly options: Options;
}

export const BROADCAST_FLAG = 0x8000;
export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;
