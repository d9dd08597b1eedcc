import type { Counters, Endpoint, Source } from "../port.ts";
import * as C from "./constants.ts";
import { type Libc, memory } from "./libc.ts";
import { CONTROL_BYTES, createHeaders, MMSGHDR_BYTES, pointAt, WORD, WORDS } from "./mmsghdr.ts";
import { SOCKADDR_BYTES, writeEndpoint, writeIPv6 } from "./sockaddr.ts";

/** Datagrams and bytes that may wait for the kernel. The bytes are copied: 300 bytes cost less than asking an address. */
const SLOTS = 512;
const ARENA_BYTES = 512 * 1024;
const LARGEST = 65_507;

export interface Outbox {
  /** What the kernel reads by address, held as long as the outbox. */
  readonly memory: readonly unknown[];
  /** Queues one datagram; `false` when there is no room or it cannot be one of this socket's. */
  put(bytes: Uint8Array, to: Endpoint, source: Source | undefined): boolean;
  /** Sends until empty or until the kernel takes no more; gives what is left. */
  flush(): number;
}

export function createOutbox(libc: Libc, fd: number, is6: boolean, counters: Counters): Outbox {
  const all = createHeaders(SLOTS);
  const { headers, names, controls } = all;
  const arena = memory(ARENA_BYTES);
  let [first, next, used] = [0, 0, 0]; // slots [first, next) wait; bytes below `used` belong to them

  return {
    memory: [all, arena],
    put(bytes, to, source) {
      const fits =
        bytes.length <= LARGEST && (typeof to.address === "bigint") === is6 && to.port > 0 && to.port < 65_536;
      if (!fits || next === SLOTS || used + bytes.length > ARENA_BYTES) return false;
      arena.u8.set(bytes, used);
      pointAt(all, next, arena.address + used, bytes.length);
      const word = next * WORDS;
      headers.u32[word + WORD.nameLength] = writeEndpoint(names.view, next * SOCKADDR_BYTES, to, source?.ifindex ?? 0);
      headers.u32[word + WORD.controlLength] = source
        ? packetInfo(controls.view, next * CONTROL_BYTES, source, is6)
        : 0;
      used += bytes.length;
      next++;
      return true;
    },

    flush() {
      while (first < next) {
        const sent = libc.sendmmsg(fd, headers.address + first * MMSGHDR_BYTES, next - first, C.MSG_DONTWAIT);
        if (sent > 0) {
          first += sent;
          counters.sent += sent;
          continue;
        }
        const errno = libc.errno();
        if (errno === C.EAGAIN) return next - first;
        if (errno === C.EINTR) continue;
        first++; // the kernel refuses this one: the others must not suffer
        counters.unsent++;
      }
      first = next = used = 0;
      return 0;
    },
  };
}

/** Writes IP_PKTINFO or IPV6_PKTINFO; gives the length of the control message with its padding. */
function packetInfo(view: DataView, at: number, { address, ifindex = 0 }: Source, is6: boolean): number {
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
