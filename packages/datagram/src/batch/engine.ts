import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { release } from "../inherited.ts";
import type { Answer, Counters, Datagram, Endpoint, Listen, Port, Source } from "../port.ts";
import { createBatchResponder, type BatchResponder } from "./batch-responder.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { loadLibc } from "./libc.ts";
import { createLoopWaiter } from "./loop.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { openSocket } from "./socket.ts";
import { WakeupCoalescer, GATHER_MS } from "./wakeup-coalescer.ts";
import { createThreadWaiter } from "./thread.ts";
import type { Waiter } from "./waiter.ts";

/** Batches taken before the event loop gets its turn: under load commits and timers must not starve. */
const BATCHES_A_TURN = 4;
/** The kernel takes no more: ask again after this long, and at close so many times. */
const RETRY_MS = 1;
const CLOSE_RETRIES = 100;

/** Linux, recvmmsg and sendmmsg. Under load it never leaves the main thread; idle, it waits on a pool thread. */
export function listenBatch(options: Listen): Port {
  const libc = loadLibc();
  const { fd, local, isInherited } = openSocket(libc, options);
  const counters: Counters = { received: 0, sent: 0, overflowed: 0, truncated: 0, unsent: 0 };
  const { batch: count = 64, maxBytes = 2048 } = options;
  const isWildcard = local.address === 0 || local.address === 0n;
  try {
    const waiter = createLoopWaiter(fd) ?? createThreadWaiter(libc, fd);
    const inbox = createInbox(libc, fd, { count, maxBytes }, counters);
    const outbox = createOutbox(libc, fd, typeof local.address === "bigint", counters);
    const responder = (replyBytes: number): BatchResponder =>
      createBatchResponder(libc, fd, { count, maxBytes, replyBytes, isWildcard }, counters);
    return new BatchPort({ local, isInherited }, counters, { inbox, outbox, responder }, waiter, () => libc.close(fd));
  } catch (fault) {
    if (isInherited) release(fd);
    else libc.close(fd);
    throw fault;
  }
}

interface Boxes {
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly responder: (replyBytes: number) => BatchResponder;
}

class BatchPort implements Port {
  readonly engine = "batch";
  readonly local: Endpoint;
  readonly isInherited: boolean;
  readonly counters: Counters;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #responder: Boxes["responder"];
  readonly #waiter: Waiter;
  readonly #closeSocket: () => void;
  #waiting: Promise<void> | undefined;
  #flushDue = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(
    { local, isInherited }: Pick<Port, "local" | "isInherited">,
    counters: Counters,
    { inbox, outbox, responder }: Boxes,
    waiter: Waiter,
    closeSocket: () => void,
  ) {
    this.local = local;
    this.isInherited = isInherited;
    this.counters = counters;
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#responder = responder;
    this.#waiter = waiter;
    this.#closeSocket = closeSocket;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Datagram[]> {
    const coalescer = new WakeupCoalescer();
    for (let taken = 0; !this.#closed;) {
      this.flush();
      if (taken >= BATCHES_A_TURN) {
        taken = 0;
        await turn();
        if (this.#closed) return;
      }
      const batch = this.#inbox.take();
      if (coalescer.isDelayed) coalescer.onDelayedRead(batch.length, performance.now());
      if (batch.length > 0) {
        taken++;
        yield batch;
      } else if (taken > 0) taken = BATCHES_A_TURN; // one more look after the others' turn costs less than a thread hop
      else if (coalescer.shouldDelay()) await sleep(GATHER_MS);
      else {
        await (this.#waiting = this.#waiter.wait());
        coalescer.onWakeup(performance.now());
      }
    }
  }

  async serve(answer: Answer, replyBytes: number): Promise<void> {
    const responder = this.#responder(replyBytes);
    for (let taken = 0; !this.#closed;) {
      if (taken >= BATCHES_A_TURN) {
        taken = 0;
        await turn();
      } else if (responder.step(answer) > 0) taken++;
      else if (taken > 0) taken = BATCHES_A_TURN;
      else await (this.#waiting = this.#waiter.wait());
    }
  }

  send(bytes: Uint8Array, to: Endpoint, source?: Source): void {
    if (this.#closed || !this.#put(bytes, to, source)) this.counters.unsent++;
    else if (!this.#flushDue) {
      this.#flushDue = true;
      queueMicrotask(() => this.flush()); // after the senders already queued in this turn, before the next packet
    }
  }

  #put(bytes: Uint8Array, to: Endpoint, source: Source | undefined): boolean {
    if (this.#outbox.put(bytes, to, source)) return true;
    this.flush();
    return this.#outbox.put(bytes, to, source);
  }

  flush(): void {
    this.#flushDue = false;
    if (this.#closed) return; // the descriptor may be another's by now
    if (this.#outbox.flush() > 0) this.#retry ??= setTimeout(() => ((this.#retry = undefined), this.flush()), RETRY_MS);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#waiter.wake();
    for (let tries = 0; this.#outbox.flush() > 0 && tries < CLOSE_RETRIES; tries++) await sleep(RETRY_MS);
    this.counters.unsent += this.#outbox.flush();
    clearTimeout(this.#retry);
    await this.#waiting; // no thread may hold the descriptors when they are closed
    this.#waiter.close();
    this.#closeSocket();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
