import type { Counters, Endpoint, Source } from "../port.ts";
import * as C from "./constants.ts";
import { SEGMENT_BYTES, writePacketInfo, writeSegment } from "./control.ts";
import { type Libc, memory } from "./libc.ts";
import { CONTROL_BYTES, createHeaders, IOVEC_BYTES, MMSGHDR_BYTES, pointAt, WORD, WORDS } from "./mmsghdr.ts";
import type { Body, Run } from "./run.ts";
import { SOCKADDR_BYTES, writeEndpoint } from "./sockaddr.ts";

/** Datagrams and bytes that may wait for the kernel. The bytes are copied: 300 bytes cost less than asking an address. */
const SLOTS = 512;
const ARENA_BYTES = 512 * 1024;
const VECTORS = 2048;
const LARGEST = 65_507;
/** The longest datagram that no Ethernet cuts up: longer ones are not left to UDP_SEGMENT, which would refuse them. */
const LARGEST_SEGMENT = { 4: 1472, 6: 1452 } as const;
/** UDP_MAX_SEGMENTS of the kernels that have it (128 since 6.9). */
const MOST_SEGMENTS = 64;

export interface Outbox {
  /** What the kernel reads by address, held as long as the outbox. */
  readonly memory: readonly unknown[];
  /** Queues one datagram; `false` when there is no room or it cannot be one of this socket's. */
  put(bytes: Uint8Array, to: Endpoint, source: Source | undefined): boolean;
  /** Queues all of a run or, `false`, nothing. Its body is read where it stands. */
  putRun(run: Run, to: Endpoint, source: Source | undefined): boolean;
  /** Sends until empty or until the kernel takes no more; gives what is left. */
  flush(): number;
}

export function createOutbox(libc: Libc, fd: number, is6: boolean, counters: Counters): Outbox {
  const all = createHeaders(SLOTS, VECTORS);
  const { headers, names, controls, iovecs } = all;
  const arena = memory(ARENA_BYTES);
  const carried = new Uint8Array(SLOTS); // datagrams in a slot: several where the kernel cuts them
  const firstVector = new Uint16Array(SLOTS);
  const held: Body[] = []; // what the slots point into must not be collected before it has left
  const mostBytes = LARGEST_SEGMENT[is6 ? 6 : 4];
  let canSegment = true; // until a device says no
  let [first, next, used, vectors] = [0, 0, 0, 0]; // slots [first, next) wait; bytes and iovecs below belong to them

  const isOurs = (to: Endpoint): boolean => (typeof to.address === "bigint") === is6 && to.port > 0 && to.port < 65_536;

  const gather = (slot: number, vector: number, count: number): void => {
    const at = iovecs.address + vector * IOVEC_BYTES;
    headers.u32[slot * WORDS + WORD.vectors] = at >>> 0;
    headers.u32[slot * WORDS + WORD.vectors + 1] = Math.floor(at / 0x1_0000_0000);
    headers.u32[slot * WORDS + WORD.vectorCount] = count;
  };

  /** Addresses the next slot, which sends `count` iovecs from `vector` on as `datagrams` datagrams. */
  const fill = (vector: number, count: number, to: Endpoint, source: Source | undefined, datagrams: number): number => {
    const word = next * WORDS;
    gather(next, vector, count);
    firstVector[next] = vector;
    headers.u32[word + WORD.nameLength] = writeEndpoint(names.view, next * SOCKADDR_BYTES, to, source?.ifindex ?? 0);
    headers.u32[word + WORD.controlLength] = source
      ? writePacketInfo(controls.view, next * CONTROL_BYTES, source, is6)
      : 0;
    carried[next] = datagrams;
    return next++;
  };

  /** The kernel would not cut this slot's datagrams apart: each goes by itself. */
  const sendApart = (slot: number): void => {
    headers.u32[slot * WORDS + WORD.controlLength]! -= SEGMENT_BYTES;
    for (let i = 0; i < carried[slot]!; i++) {
      gather(slot, firstVector[slot]! + 2 * i, 2);
      if (libc.sendmmsg(fd, headers.address + slot * MMSGHDR_BYTES, 1, C.MSG_DONTWAIT) === 1) counters.sent++;
      else counters.unsent++;
    }
  };

  return {
    memory: [all, arena, held],
    put(bytes, to, source) {
      const fits = bytes.length <= LARGEST && isOurs(to);
      if (!fits || next === SLOTS || vectors === VECTORS || used + bytes.length > ARENA_BYTES) return false;
      arena.u8.set(bytes, used);
      pointAt(all, vectors, arena.address + used, bytes.length);
      fill(vectors++, 1, to, source, 1);
      used += bytes.length;
      return true;
    },

    putRun({ body, position, sliceBytes, heads, headBytes, count }, to, source) {
      const whole = headBytes + sliceBytes;
      const together = canSegment && whole <= mostBytes ? Math.min(MOST_SEGMENTS, Math.floor(LARGEST / whole)) : 1;
      const isRoom = next + count <= SLOTS && vectors + 2 * count <= VECTORS && used + count * headBytes <= ARENA_BYTES;
      if (!isRoom || whole > LARGEST || !isOurs(to)) return false;
      for (let i = 0; i < count * headBytes; i++) arena.u8[used + i] = heads[i]!;
      held.push(body);
      for (let done = 0; done < count;) {
        const several = Math.min(together, count - done);
        const from = vectors;
        for (const end = done + several; done < end; done++) {
          const at = Math.min(position + done * sliceBytes, body.bytes.length);
          pointAt(all, vectors++, arena.address + used + done * headBytes, headBytes);
          pointAt(all, vectors++, body.address + at, Math.min(sliceBytes, body.bytes.length - at));
        }
        const slot = fill(from, 2 * several, to, source, several);
        if (several === 1) continue;
        const word = slot * WORDS + WORD.controlLength;
        headers.u32[word]! += writeSegment(controls.view, slot * CONTROL_BYTES + headers.u32[word]!, whole);
      }
      used += count * headBytes;
      return true;
    },

    flush() {
      while (first < next) {
        const sent = libc.sendmmsg(fd, headers.address + first * MMSGHDR_BYTES, next - first, C.MSG_DONTWAIT);
        if (sent > 0) {
          for (const end = first + sent; first < end; first++) counters.sent += carried[first]!;
          continue;
        }
        const errno = libc.errno();
        if (errno === C.EAGAIN) return next - first;
        if (errno === C.EINTR) continue;
        if (carried[first]! > 1) {
          if (errno === C.EIO) canSegment = false; // a device that computes no checksums
          sendApart(first++);
          continue;
        }
        first++; // the kernel refuses this one: the others must not suffer
        counters.unsent++;
      }
      first = next = used = vectors = 0;
      held.length = 0;
      return 0;
    },
  };
}
