import { type Memory, memory } from "./libc.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

/** Offsets in `struct mmsghdr` on 64-bit Linux, as indices of 32-bit words. */
export const MMSGHDR_BYTES = 64;
export const WORD = {
  nameLength: 2,
  vectors: 4,
  vectorCount: 6,
  control: 8,
  controlLength: 10,
  flags: 12,
  length: 14,
} as const;
export const WORDS = MMSGHDR_BYTES / 4;
export const IOVEC_BYTES = 16;
/** Room for the control messages of one datagram: IPV6_PKTINFO (40), and SO_RXQ_OVFL or UDP_SEGMENT (24). */
export const CONTROL_BYTES = 96;

/** A fixed array of message headers with their names, controls and iovecs, wired together once. */
export interface Headers {
  readonly count: number;
  readonly headers: Memory;
  readonly names: Memory;
  readonly controls: Memory;
  readonly iovecs: Memory;
}

/** `vectors`: how many iovecs there are, where some messages will have several. */
export function createHeaders(count: number, vectors = count): Headers {
  const all: Headers = {
    count,
    headers: memory(count * MMSGHDR_BYTES),
    names: memory(count * SOCKADDR_BYTES),
    controls: memory(count * CONTROL_BYTES),
    iovecs: memory(vectors * IOVEC_BYTES),
  };
  for (let i = 0; i < count; i++) {
    const at = i * MMSGHDR_BYTES;
    const { view } = all.headers;
    view.setBigUint64(at, BigInt(all.names.address + i * SOCKADDR_BYTES), true);
    view.setBigUint64(at + 16, BigInt(all.iovecs.address + i * IOVEC_BYTES), true);
    view.setBigUint64(at + 24, 1n, true);
    view.setBigUint64(at + 32, BigInt(all.controls.address + i * CONTROL_BYTES), true);
  }
  return all;
}

/** Points iovec `i` at `length` bytes. Plain words, since this runs for every datagram sent. */
export function pointAt({ iovecs }: Headers, i: number, address: number, length: number): void {
  const word = i * 4;
  iovecs.u32[word] = address >>> 0;
  iovecs.u32[word + 1] = Math.floor(address / 0x1_0000_0000);
  iovecs.u32[word + 2] = length;
  iovecs.u32[word + 3] = 0;
}
