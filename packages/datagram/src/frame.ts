import type { Endpoint } from "./port.ts";

const IPV4_BYTES = 20;
const UDP_BYTES = 8;
export const HEAD_BYTES = IPV4_BYTES + UDP_BYTES;
const DONT_FRAGMENT = 0x4000;
const TTL = 64;
const UDP = 17;

/**
 * Writes an IPv4 packet (RFC 791) with one UDP datagram (RFC 768) in it, checksums and all, and gives its length: for a
 * sender below the kernel's own stack.
 */
export function writeFrame(into: Uint8Array, bytes: Uint8Array, from: Endpoint, to: Endpoint): number {
  const length = HEAD_BYTES + bytes.length;
  const view = new DataView(into.buffer, into.byteOffset, length);
  view.setUint16(0, 0x4500); // version 4, five words, no priority
  view.setUint16(2, length);
  view.setUint16(4, 0); // RFC 6864 §4: never fragmented, so it identifies nothing
  view.setUint16(6, DONT_FRAGMENT);
  view.setUint16(8, (TTL << 8) | UDP);
  view.setUint16(10, 0);
  view.setUint32(12, Number(from.address));
  view.setUint32(16, Number(to.address));
  view.setUint16(10, ~folded(sum(view, 0, IPV4_BYTES)));
  view.setUint16(20, from.port);
  view.setUint16(22, to.port);
  view.setUint16(24, UDP_BYTES + bytes.length);
  view.setUint16(26, 0);
  into.set(bytes, HEAD_BYTES);
  const pseudo = sum(view, 12, 20) + UDP + UDP_BYTES + bytes.length;
  const checksum = ~folded(pseudo + sum(view, IPV4_BYTES, length)) & 0xffff;
  view.setUint16(26, checksum === 0 ? 0xffff : checksum); // RFC 768: zero says that there is none
  return length;
}

/** RFC 1071: 16-bit words, one after the other; an odd last byte stands before a zero. */
function sum(view: DataView, start: number, end: number): number {
  let total = 0;
  for (let at = start; at + 1 < end; at += 2) total += view.getUint16(at);
  return (end - start) % 2 === 1 ? total + (view.getUint8(end - 1) << 8) : total;
}

function folded(total: number): number {
  let value = total;
  while (value > 0xffff) value = (value & 0xffff) + (value >>> 16);
  return value;
}
