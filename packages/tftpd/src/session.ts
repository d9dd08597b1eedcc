import { encode, ERRORS, HEADER_BYTES, writeDataHeader } from "@firstlight/wire/tftp";
import type { BootFile } from "./file.ts";
import type { ReplyPort } from "./reply-port.ts";
import type { Agreement } from "./options.ts";
import { REASONS } from "./reasons.ts";
import { type Effect, type Ending, type Event, type Patience, start, step, type Transfer } from "./transfer.ts";

/** How a session ends: as its transfer does, or because the server ends it. */
export type SessionEnding = Ending | "client-asked-anew" | "crowded-out" | "server-stops";

export interface Ended {
  readonly because: SessionEnding;
  /** Of the file, acknowledged by the client. */
  readonly bytes: number;
  readonly resent: number;
  readonly ms: number;
}

/** A running transfer, on the event loop or on the worker thread. */
export interface Underway {
  /** The client has acknowledged a packet, so its source address is not forged. */
  readonly isProven: boolean;
  /** Resolves once the file and the port are given back, after the end. */
  readonly closed: Promise<unknown>;
  receive(event: Event): void;
  end(because: SessionEnding): void;
}

/** Calls back once after some milliseconds; setting it again replaces the earlier time. */
export interface Timer {
  set(ms: number, tick: () => void): void;
  clear(): void;
}

export interface SessionParts {
  readonly file: BootFile;
  readonly replyPort: ReplyPort;
  readonly agreed: Agreement;
  readonly patience: Patience;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly timer: Timer;
  readonly onIgnored: (because: string) => void;
  /** Called once. */
  readonly onEnd: (ended: Ended) => void;
}

/** More datagrams than any window brings during a read from disk. */
const MOST_EVENTS = 512;

/** Runs one transfer: its timer, its reads and its datagrams, one event at a time. */
export class Session implements Underway {
  readonly #parts: SessionParts;
  readonly #startedAt: number;
  readonly #events: Event[] = [];
  #transfer: Transfer;
  #arena: Uint8Array | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #isBusy = false;
  #isOver = false;
  #isProven = false;
  #closed: Promise<unknown> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
    const [transfer, effects] = start(parts.file.bytes, this.#startedAt, parts.agreed, parts.patience);
    this.#transfer = transfer;
    this.#isBusy = true;
    this.#goOn(this.#perform(effects));
  }

  get isProven(): boolean {
    return this.#isProven;
  }

  get closed(): Promise<unknown> {
    return this.#closed;
  }

  receive(event: Event): void {
    if (this.#isOver) return;
    if (this.#events.length >= MOST_EVENTS) return this.#parts.onIgnored("more at once than a transfer can mean");
    this.#events.push(event);
    if (!this.#isBusy) this.#work();
  }

  end(because: SessionEnding): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { file, replyPort, agreed, now, timer, onEnd } = this.#parts;
    timer.clear();
    if (because === "server-stops") this.#sendError(ERRORS.of.undefined, REASONS[because].sentence);
    this.#closed = Promise.allSettled([replyPort.close(), file[Symbol.asyncDispose]()]);
    const bytes = Math.min(this.#transfer.acked * agreed.blockBytes, file.bytes);
    onEnd({ because, bytes, resent: this.#transfer.resent, ms: now() - this.#startedAt });
  }

  /** Handles queued events until one has to wait for the disk. */
  #work(): void {
    this.#isBusy = true;
    for (let event = this.#events.shift(); event !== undefined && !this.#isOver; event = this.#events.shift()) {
      const before = this.#transfer;
      const [after, effects] = step(before, event, this.#parts.now());
      this.#transfer = after;
      if (after.acked !== before.acked || after.phase !== before.phase) this.#isProven = true;
      const pending = this.#perform(effects);
      if (pending) return this.#goOn(pending);
    }
    this.#isBusy = false;
    this.#arm();
  }

  #goOn(pending: Promise<void> | undefined): void {
    if (pending) void pending.then(() => this.#work());
    else this.#work();
  }

  /** Returns after the event is handled, unless it waits for a read from disk. */
  #perform(effects: readonly Effect[]): Promise<void> | undefined {
    const { replyPort, agreed, onIgnored } = this.#parts;
    let pending: Promise<void> | undefined;
    for (const effect of effects) {
      switch (effect.do) {
        case "oack":
          replyPort.send(encode({ is: "OACK", options: agreed.options }));
          replyPort.flush();
          break;
        case "send":
          pending = this.#send(effect.from, effect.count);
          break;
        case "error":
          this.#sendError(effect.code, effect.message);
          break;
        case "ignore":
          onIgnored(effect.because);
          break;
        case "end":
          this.end(effect.because);
      }
    }
    return pending;
  }

  /** The file is read straight into the datagrams. `done`: how many of them have left. */
  #send(from: number, count: number, done = 0): Promise<void> | undefined {
    const { file, agreed, replyPort } = this.#parts;
    if (replyPort.sendBlocks) {
      replyPort.sendBlocks(from, count);
      return undefined;
    }
    const { blockBytes, windowBlocks } = agreed;
    const stride = HEADER_BYTES + blockBytes;
    this.#arena ??= new Uint8Array(Math.min(windowBlocks, this.#transfer.last) * stride);
    for (let i = done; i < count; i++) {
      const position = (from + i - 1) * blockBytes;
      const length = Math.min(blockBytes, file.bytes - position);
      const datagram = this.#arena.subarray(i * stride, i * stride + HEADER_BYTES + length);
      writeDataHeader(datagram, (from + i) & 0xffff);
      const read = file.read(datagram.subarray(HEADER_BYTES), position);
      if (typeof read !== "number") {
        const left = read.then(
          (got) => this.#leave(datagram, got === length),
          () => this.#leave(datagram, false),
        );
        return left.then((hasLeft) => (hasLeft ? this.#send(from, count, i + 1) : undefined));
      }
      if (!this.#leave(datagram, read === length)) return undefined;
    }
    replyPort.flush();
    return undefined;
  }

  /** False: no more is to be sent. */
  #leave(datagram: Uint8Array, isWhole: boolean): boolean {
    if (this.#isOver) return false;
    if (isWhole) this.#parts.replyPort.send(datagram);
    else this.#events.unshift({ is: "fault" });
    return isWhole;
  }

  #sendError(code: number, message: string): void {
    this.#parts.replyPort.send(encode({ is: "ERROR", code, message }));
    this.#parts.replyPort.flush();
  }

  /** One timer per session; an acknowledgement that only postpones it costs nothing. */
  #arm(): void {
    const { retryAt } = this.#transfer;
    if (this.#isOver || this.#wakeAt <= retryAt) return;
    this.#wakeAt = retryAt;
    this.#parts.timer.set(Math.max(0, Math.ceil(retryAt - this.#parts.now())), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.receive({ is: "tick" });
    });
  }
}
