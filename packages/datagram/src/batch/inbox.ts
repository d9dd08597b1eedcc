import type { Counters, Datagram } from "../port.ts";
import * as C from "./constants.ts";
import { type Libc, memory, systemError } from "./libc.ts";
import { CONTROL_BYTES, createHeaders, pointAt, WORD, WORDS } from "./mmsghdr.ts";
import { readEndpoint, readIPv6, SOCKADDR_BYTES } from "./sockaddr.ts";

/** Errors that only a bug here can cause. */
const OURS = new Set([C.EBADF, C.EFAULT, C.EINVAL, C.ENOTSOCK]);

export interface Inbox {
  /** What the kernel writes to by address. A closure keeps only what it names, so it is held here for as long as the inbox. */
  readonly memory: readonly unknown[];
  /** What waits in the kernel, up to one batch; empty when nothing does. Overwrites the bytes of the batch before. */
  take(): Datagram[];
}

/** `isTold`: whether each datagram is to say where it was sent to; the kernel then writes it down for each. */
export function createInbox(
  libc: Libc,
  fd: number,
  { count, maxBytes, isTold = true }: { count: number; maxBytes: number; isTold?: boolean },
  counters: Counters,
): Inbox {
  const all = createHeaders(count);
  const bytes = memory(count * maxBytes);
  const { headers, names, controls } = all;
  for (let i = 0; i < count; i++) pointAt(all, i, bytes.address + i * maxBytes, maxBytes);

  let touched = count; // headers the kernel has written to since they were prepared

  return {
    memory: [all, bytes],
    take() {
      for (let word = 0; word < touched * WORDS; word += WORDS) {
        headers.u32[word + WORD.nameLength] = SOCKADDR_BYTES;
        headers.u32[word + WORD.controlLength] = isTold || word === 0 ? CONTROL_BYTES : 0; // the first tells of losses
      }
      const got = libc.recvmmsg(fd, headers.address, count, C.MSG_DONTWAIT, 0);
      touched = Math.max(got, 1); // of a call that failed it may have written to the first
      if (got < 0) {
        if (OURS.has(libc.errno())) throw systemError(libc, "recvmmsg");
        return []; // nothing there, or a passing state of the network
      }
      const batch: Datagram[] = [];
      for (let i = 0; i < got; i++) {
        const word = i * WORDS;
        const length = headers.u32[word + WORD.length]!;
        const where = local(controls.view, i * CONTROL_BYTES, headers.u32[word + WORD.controlLength]!, counters);
        if ((headers.u32[word + WORD.flags]! & C.MSG_TRUNC) !== 0) {
          counters.truncated++;
          continue;
        }
        counters.received++;
        const from = readEndpoint(names.view, i * SOCKADDR_BYTES);
        const view = new Uint8Array(bytes.u8.buffer, i * maxBytes, length);
        batch.push({ bytes: view, from, to: where.to, ifindex: where.ifindex });
      }
      return batch;
    },
  };
}

const where = { to: 0 as number | bigint, ifindex: 0 }; // one for all: read at once, so no object a packet

/** Reads the control messages of one datagram: where it was sent to, and how many the kernel has dropped so far. */
function local(view: DataView, start: number, length: number, counters: Counters): typeof where {
  where.to = 0;
  where.ifindex = 0;
  for (let at = start; at + 16 <= start + length;) {
    const size = view.getUint32(at, true);
    if (size < 16) break;
    const level = view.getInt32(at + 8, true);
    const type = view.getInt32(at + 12, true);
    if (level === C.IPPROTO_IP && type === C.IP_PKTINFO) {
      where.ifindex = view.getInt32(at + 16, true);
      where.to = view.getUint32(at + 24); // ipi_addr: the destination in the header, a broadcast address included
    } else if (level === C.IPPROTO_IPV6 && type === C.IPV6_PKTINFO) {
      where.to = readIPv6(view, at + 16);
      where.ifindex = view.getInt32(at + 32, true);
    } else if (level === C.SOL_SOCKET && type === C.SO_RXQ_OVFL) {
      counters.overflowed = view.getUint32(at + 16, true);
    }
    at += (size + 7) & ~7;
  }
  return where;
}
