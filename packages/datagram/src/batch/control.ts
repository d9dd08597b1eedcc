import type { Source } from "../port.ts";
import * as C from "./constants.ts";
import { writeIPv6 } from "./sockaddr.ts";

/** Writes IP_PKTINFO or IPV6_PKTINFO; gives the length of the control message with its padding. */
export function writePacketInfo(view: DataView, at: number, { address, ifindex = 0 }: Source, is6: boolean): number {
  view.setBigUint64(at, is6 ? 36n : 28n, true);
  view.setInt32(at + 8, is6 ? C.IPPROTO_IPV6 : C.IPPROTO_IP, true);
  view.setInt32(at + 12, is6 ? C.IPV6_PKTINFO : C.IP_PKTINFO, true);
  if (is6) {
    writeIPv6(view, at + 16, typeof address === "bigint" ? address : 0n);
    view.setInt32(at + 32, ifindex, true);
    return 40;
  }
  view.setInt32(at + 16, ifindex, true);
  view.setUint32(at + 20, typeof address === "number" ? address : 0); // ipi_spec_dst: the source to send from
  view.setUint32(at + 24, 0);
  return 32;
}

export const SEGMENT_BYTES = 24;

/** Writes UDP_SEGMENT: the kernel cuts what follows into datagrams of `bytes`, of which the last may be shorter. */
export function writeSegment(view: DataView, at: number, bytes: number): number {
  view.setBigUint64(at, 18n, true);
  view.setInt32(at + 8, C.SOL_UDP, true);
  view.setInt32(at + 12, C.UDP_SEGMENT, true);
  view.setUint16(at + 16, bytes, true);
  return SEGMENT_BYTES;
}
