import { type Address, addressFrom, Reader } from "@firstlight/wire";

/** One UDP datagram of a capture. `at` is milliseconds since the epoch; `payload` may be cut off where the capture was. */
export interface Captured {
  readonly at: number;
  readonly src: Address;
  readonly sport: number;
  readonly dst: Address;
  readonly dport: number;
  readonly payload: Uint8Array;
}

/** One captured frame of a pcap or pcapng file. */
export interface Frame {
  readonly at: number;
  /** LINKTYPE of its interface: 1 Ethernet, 101 raw IP, 113 and 276 Linux cooked. */
  readonly link: number;
  readonly bytes: Uint8Array;
}

const [ETHERTYPE_IPV4, ETHERTYPE_IPV6, UDP] = [0x0800, 0x86dd, 17];
const VLAN_TAGS = new Set([0x8100, 0x88a8]);
/** Offset of the EtherType in a frame, by link type; raw IP has none. */
const ETHERTYPE_AT = new Map([
  [1, 12], // Ethernet
  [113, 14], // Linux cooked
  [276, 0], // Linux cooked v2
]);
/** Offset of the packet in a frame, by link type. */
const PAYLOAD_AT = new Map([
  [1, 14],
  [113, 16],
  [276, 20],
]);
const RAW_IP = 101;

/** The UDP datagram in a frame; `undefined` for anything else, and for fragments. */
export function datagramIn({ at, link, bytes }: Frame): Captured | undefined {
  const ip = packetIn(link, bytes);
  if (!ip || ip.length < 20) return undefined;
  return ip[0]! >>> 4 === 4 ? ipv4(at, ip) : ip[0]! >>> 4 === 6 ? ipv6(at, ip) : undefined;
}

function packetIn(link: number, bytes: Uint8Array): Uint8Array | undefined {
  if (link === RAW_IP) return bytes;
  const [typeAt, payloadAt] = [ETHERTYPE_AT.get(link), PAYLOAD_AT.get(link)];
  if (typeAt === undefined || payloadAt === undefined) return undefined;
  let type = new Reader(bytes, typeAt).u16();
  let from = payloadAt;
  for (let tags = 0; tags < 2 && VLAN_TAGS.has(type); tags++) {
    type = new Reader(bytes, from + 2).u16();
    from += 4;
  }
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 ? bytes.subarray(from) : undefined;
}

function ipv4(at: number, ip: Uint8Array): Captured | undefined {
  const isFragment = (new Reader(ip, 6).u16() & 0x3fff) !== 0;
  if (ip[9] !== UDP || isFragment) return undefined;
  return udp(at, ip.subarray(12, 16), ip.subarray(16, 20), ip.subarray((ip[0]! & 15) * 4));
}

function ipv6(at: number, ip: Uint8Array): Captured | undefined {
  if (ip.length < 40 || ip[6] !== UDP) return undefined;
  return udp(at, ip.subarray(8, 24), ip.subarray(24, 40), ip.subarray(40));
}

function udp(at: number, from: Uint8Array, to: Uint8Array, segment: Uint8Array): Captured | undefined {
  const [src, dst] = [addressFrom(from), addressFrom(to)];
  const reader = new Reader(segment);
  const [sport, dport, length] = [reader.u16(), reader.u16(), reader.u16()];
  if (reader.overrun || length < 8 || segment.length < 8) return undefined;
  if (typeof src === "object" || typeof dst === "object") return undefined;
  return { at, src, sport, dst, dport, payload: segment.subarray(8, Math.min(length, segment.length)) };
}
