import type { Answer, Counters } from "../port.ts";
import * as C from "./constants.ts";
import { type Libc, memory, systemError } from "./libc.ts";
import { CONTROL_BYTES, createHeaders, MMSGHDR_BYTES, WORD, WORDS } from "./mmsghdr.ts";
import { SOCKADDR_BYTES } from "./sockaddr.ts";

/** Errors that only a bug here can cause. */
const OURS = new Set([C.EBADF, C.EFAULT, C.EINVAL, C.ENOTSOCK]);

/** Bytes of one cache line. Slots an odd number of them apart do not fall into the same few sets of the cache. */
const CACHE_LINE_BYTES = 64;

export interface BatchResponder {
  /** What the kernel reads and writes by address, held as long as the responder. */
  readonly memory: readonly unknown[];
  /** Takes up to one batch, has each answered in place, sends what was answered; how many were taken. */
  step(answer: Answer): number;
}

export interface BatchResponderOptions {
  readonly count: number;
  readonly maxBytes: number;
  readonly replyBytes: number;
  /** Several local addresses: a reply carries the one that was asked. */
  readonly isWildcard: boolean;
}

/**
 * Receive, answer, send without an object per datagram: the header of a reply points at the sockaddr, and on a wildcard
 * socket at the packet information, that the kernel wrote with the query.
 */
export function createBatchResponder(
  libc: Libc,
  fd: number,
  options: BatchResponderOptions,
  counters: Counters,
): BatchResponder {
  const { count, replyBytes, maxBytes, isWildcard } = options;
  const asked = createHeaders(count);
  const said = createHeaders(count);
  const queries = slots(count, maxBytes);
  const replies = slots(count, replyBytes);
  const [taken, sent] = [asked.headers.u32, said.headers.u32];
  for (let i = 0; i < count; i++) writeVector(asked.iovecs.view, i, queries.address(i), maxBytes);
  let touched = count; // headers the kernel has written to since they were prepared

  const prepare = (): void => {
    for (let i = 0; i < touched; i++) {
      taken[i * WORDS + WORD.nameLength] = SOCKADDR_BYTES;
      taken[i * WORDS + WORD.controlLength] = isWildcard || i === 0 ? CONTROL_BYTES : 0; // the first reports drops
    }
  };

  /** Lets header `place` send the reply in slot `i`. */
  const address = (place: number, i: number, length: number): void => {
    const word = place * WORDS;
    const from = i * WORDS;
    sent[word] = taken[from]!;
    sent[word + 1] = taken[from + 1]!;
    sent[word + WORD.nameLength] = taken[from + WORD.nameLength]!;
    said.iovecs.u32[place * 4] = replies.low[i]!;
    said.iovecs.u32[place * 4 + 1] = replies.high[i]!;
    said.iovecs.u32[place * 4 + 2] = length;
    if (!isWildcard) return;
    const info = packetInfo(asked.controls.view, i * CONTROL_BYTES, taken[from + WORD.controlLength]!);
    const at = asked.controls.address + (info < 0 ? 0 : info);
    sent[word + WORD.control] = at >>> 0;
    sent[word + WORD.control + 1] = Math.floor(at / 0x1_0000_0000);
    sent[word + WORD.controlLength] = info < 0 ? 0 : asked.controls.view.getUint32(info, true);
  };

  const send = (until: number): void => {
    for (let first = 0; first < until;) {
      const took = libc.sendmmsg(fd, said.headers.address + first * MMSGHDR_BYTES, until - first, C.MSG_DONTWAIT);
      if (took > 0) {
        first += took;
        counters.sent += took;
      } else if (libc.errno() !== C.EINTR) {
        first++; // refused, or the kernel's queue is full: the datagram is lost and the client retries
        counters.unsent++;
      }
    }
  };

  return {
    memory: [asked, said, queries, replies],
    step(answer) {
      prepare();
      const got = libc.recvmmsg(fd, asked.headers.address, count, C.MSG_DONTWAIT, 0);
      touched = Math.max(got, 1);
      if (got < 0) {
        if (OURS.has(libc.errno())) throw systemError(libc, "recvmmsg");
        return 0; // nothing there, or a passing state of the network
      }
      const lost = overflowed(asked.controls.view, taken[WORD.controlLength]!);
      if (lost >= 0) counters.overflowed = lost;
      let next = 0;
      for (let i = 0; i < got; i++) {
        if ((taken[i * WORDS + WORD.flags]! & C.MSG_TRUNC) !== 0) {
          counters.truncated++;
          continue;
        }
        counters.received++;
        const length = answer(queries.views[i]!, taken[i * WORDS + WORD.length]!, replies.views[i]!);
        if (length > 0) address(next++, i, length);
      }
      if (next > 0) send(next);
      return got;
    },
  };
}

/** Where the bytes of `count` datagrams stand, as views made once and as addresses in two words. */
function slots(count: number, bytes: number) {
  const stride = (Math.ceil(bytes / CACHE_LINE_BYTES) | 1) * CACHE_LINE_BYTES;
  const held = memory(count * stride);
  const address = (i: number): number => held.address + i * stride;
  const places = Array.from({ length: count }, (_, i) => i);
  return {
    held,
    address,
    views: places.map((i) => new Uint8Array(held.u8.buffer, i * stride, bytes)),
    low: Uint32Array.from(places, (i) => address(i) >>> 0),
    high: Uint32Array.from(places, (i) => Math.floor(address(i) / 0x1_0000_0000)),
  };
}

function writeVector(view: DataView, i: number, address: number, bytes: number): void {
  view.setBigUint64(i * 16, BigInt(address), true);
  view.setBigUint64(i * 16 + 8, BigInt(bytes), true);
}

/** Where IP_PKTINFO or IPV6_PKTINFO stands among the control messages of one datagram, or −1. */
function packetInfo(view: DataView, start: number, length: number): number {
  for (let at = start; at + 16 <= start + length; at += align(view.getUint32(at, true))) {
    const level = view.getInt32(at + 8, true);
    if (level === C.IPPROTO_IP || level === C.IPPROTO_IPV6) return at; // nothing else was asked for on these levels
  }
  return -1;
}

/** How many the kernel has dropped so far; −1 when it has not said. */
function overflowed(view: DataView, length: number): number {
  for (let at = 0; at + 16 <= length; at += align(view.getUint32(at, true))) {
    if (view.getInt32(at + 8, true) === C.SOL_SOCKET && view.getInt32(at + 12, true) === C.SO_RXQ_OVFL) {
      return view.getUint32(at + 16, true);
    }
  }
  return -1;
}

/** A control message with its padding; one shorter than its own head ends the walk. */
function align(bytes: number): number {
  return bytes < 16 ? CONTROL_BYTES : (bytes + 7) & ~7;
}
