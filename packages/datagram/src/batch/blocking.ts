import type { Counters, Datagram, Endpoint, Listen, Source } from "../port.ts";
import { EFD_FLAGS, POLLIN } from "./constants.ts";
import { createInbox } from "./inbox.ts";
import { loadLibc, memory, systemError } from "./libc.ts";
import { createOutbox } from "./outbox.ts";
import { type Body, pinned, type Run } from "./run.ts";
import { openSocket } from "./socket.ts";

const POLLOUT = 4;
/** The kernel's queue is full: wait so long for room, then count the rest as unsent. */
const ROOM_MS = 20;

/**
 * A port whose receiver waits in the kernel on the very thread that asks: for a worker that does nothing else. Two system
 * calls take and answer a batch under load, and no event loop stands between a packet and its reply.
 */
export interface BlockingPort {
  readonly local: Endpoint;
  readonly counters: Readonly<Counters>;
  /**
   * What came within `timeoutMs`; empty past that, or when woken. The bytes are valid until the next call; `to` and `ifindex`
   * are not asked of the kernel.
   */
  receive(timeoutMs: number): readonly Datagram[];
  /** Whether the last `receive` was woken. */
  readonly isWoken: boolean;
  /** Queues one datagram, whose bytes are copied at once. Full: the queue leaves first. */
  send(bytes: Uint8Array, to: Endpoint, source?: Source): void;
  /** Lets a run point at these bytes. */
  pin(bytes: Uint8Array): Body;
  /** Queues consecutive slices of one body, which is read where it stands once the queue leaves. */
  sendRun(run: Run, to: Endpoint, source?: Source): void;
  flush(): void;
  close(): void;
}

/** Ends another thread's `receive`. */
export interface Wakeup {
  /** What that thread needs to be woken; may be posted to it. */
  readonly bell: Bell;
  wake(): void;
  close(): void;
}

/** A descriptor for one that waits in the kernel, and a flag for one that finds packets whenever it looks. */
export interface Bell {
  readonly descriptor: number;
  readonly rung: Int32Array<SharedArrayBuffer>;
}

/** Also wakes at the process's exit, which otherwise would wait for the thread for ever. */
export function createWakeup(): Wakeup {
  const libc = loadLibc();
  const descriptor = libc.eventfd(0, EFD_FLAGS);
  if (descriptor < 0) throw systemError(libc, "eventfd");
  const one = memory(8);
  one.view.setBigUint64(0, 1n, true);
  const rung = new Int32Array(new SharedArrayBuffer(4));
  const wake = (): void => {
    Atomics.store(rung, 0, 1);
    libc.write(descriptor, one.address, 8);
  };
  process.on("exit", wake);
  return {
    bell: { descriptor, rung },
    wake,
    close() {
      process.off("exit", wake);
      libc.close(descriptor);
    },
  };
}

export function openBlocking(options: Listen, { descriptor, rung }: Bell): BlockingPort {
  const libc = loadLibc();
  const { fd, local } = openSocket(libc, options);
  const counters: Counters = { received: 0, sent: 0, overflowed: 0, truncated: 0, unsent: 0 };
  const { batch: most = 64, maxBytes = 2048 } = options;
  const inbox = createInbox(libc, fd, { count: most, maxBytes, isTold: false }, counters);
  const outbox = createOutbox(libc, fd, typeof local.address === "bigint", counters);
  const fds = memory(24); // two struct pollfd to receive, one to send: fd, events, revents
  for (const [i, waited, events] of [
    [0, fd, POLLIN],
    [1, descriptor, POLLIN],
    [2, fd, POLLOUT],
  ] as const) {
    fds.view.setInt32(i * 8, waited, true);
    fds.view.setInt16(i * 8 + 4, events, true);
  }
  const count = memory(8); // of the eventfd, read to reset it
  const hasRung = (): boolean => (fds.view.getInt16(14, true) & POLLIN) !== 0;
  let isWoken = false;

  const flush = (): void => {
    if (outbox.flush() === 0) return;
    libc.poll(fds.address + 16, 1, ROOM_MS);
    outbox.flush();
  };
  return {
    local,
    counters,
    get isWoken() {
      return isWoken;
    },
    receive(timeoutMs) {
      flush();
      let batch = inbox.take();
      let isRinging = false;
      if (batch.length === 0 && Atomics.load(rung, 0) === 0) {
        isRinging = libc.poll(fds.address, 2, timeoutMs) > 0 && hasRung();
        batch = inbox.take();
      }
      isWoken = Atomics.exchange(rung, 0, 0) === 1;
      if (isWoken || isRinging) libc.read(descriptor, count.address, 8); // the flag may be seen before the bell is rung
      return batch;
    },
    send(bytes, to, source) {
      if (outbox.put(bytes, to, source)) return;
      flush();
      if (!outbox.put(bytes, to, source)) counters.unsent++;
    },
    pin: pinned,
    sendRun(run, to, source) {
      if (outbox.putRun(run, to, source)) return;
      flush();
      if (!outbox.putRun(run, to, source)) counters.unsent += run.count;
    },
    flush,
    close: () => void libc.close(fd),
  };
}
