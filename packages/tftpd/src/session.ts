import { encode, ERRORS, HEADER_BYTES, writeDataHeader } from "@firstlight/wire/tftp";
import type { BootFile } from "./file.ts";
import type { Line } from "./line.ts";
import type { Agreement } from "./options.ts";
import { type Effect, type Ending, type Event, type Patience, start, step, type Transfer } from "./transfer.ts";

/** How a session may end: as its transfer does, or by the server's will. */
export type SessionEnding = Ending | "client asked anew" | "crowded out" | "server stops";

export interface Ended {
  readonly because: SessionEnding;
  /** Of the file, acknowledged by the client. */
  readonly bytes: number;
  readonly resent: number;
  readonly ms: number;
}

export interface SessionParts {
  readonly file: BootFile;
  readonly line: Line;
  readonly agreed: Agreement;
  readonly patience: Patience;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly onIgnored: (because: string) => void;
  /** Called once. */
  readonly onEnd: (ended: Ended) => void;
}

/** More than any window brings while a read is under way. */
const MOST_EVENTS = 512;

/** The shell of one transfer: its timer, its reads and its datagrams, one event after the other. */
export class Session {
  readonly #parts: SessionParts;
  readonly #startedAt: number;
  readonly #events: Event[] = [];
  #transfer: Transfer;
  #arena: Uint8Array | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wakeAt = 0;
  #isBusy = false;
  #isOver = false;
  #isProven = false;
  #closed: Promise<unknown> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#startedAt = parts.now();
    const [transfer, effects] = start(parts.file.bytes, this.#startedAt, parts.agreed, parts.patience);
    this.#transfer = transfer;
    void this.#work(effects);
  }

  /** The client has acknowledged something, so it is where its requests say it is. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Resolves once the file and the port are given back, after the end. */
  get closed(): Promise<unknown> {
    return this.#closed;
  }

  receive(event: Event): void {
    if (this.#isOver) return;
    if (this.#events.length >= MOST_EVENTS) return this.#parts.onIgnored("more at once than a transfer can mean");
    this.#events.push(event);
    if (!this.#isBusy) void this.#work([]);
  }

  end(because: SessionEnding): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    const { file, line, agreed, now, onEnd } = this.#parts;
    if (because === "server stops") this.#sendError(ERRORS.of.undefined, because);
    this.#closed = Promise.allSettled([line.close(), file[Symbol.asyncDispose]()]);
    const bytes = Math.min(this.#transfer.acked * agreed.blockBytes, file.bytes);
    onEnd({ because, bytes, resent: this.#transfer.resent, ms: now() - this.#startedAt });
  }

  async #work(first: readonly Effect[]): Promise<void> {
    this.#isBusy = true;
    let pending = this.#perform(first);
    if (pending) await pending;
    for (let event = this.#events.shift(); event !== undefined && !this.#isOver; event = this.#events.shift()) {
      const before = this.#transfer;
      const [after, effects] = step(before, event, this.#parts.now());
      this.#transfer = after;
      if (after.acked !== before.acked || after.phase !== before.phase) this.#isProven = true;
      pending = this.#perform(effects);
      if (pending) await pending;
    }
    this.#isBusy = false;
    this.#arm();
  }

  /** A read from disk takes its time; everything else is done when this returns. */
  #perform(effects: readonly Effect[]): Promise<void> | undefined {
    const { line, agreed, onIgnored } = this.#parts;
    let pending: Promise<void> | undefined;
    for (const effect of effects) {
      switch (effect.do) {
        case "oack":
          line.send(encode({ is: "OACK", options: agreed.options }));
          line.flush();
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

  /** The file is read straight into the datagrams. */
  #send(from: number, count: number): Promise<void> | undefined {
    const { file, agreed } = this.#parts;
    const { blockBytes, windowBlocks } = agreed;
    const stride = HEADER_BYTES + blockBytes;
    this.#arena ??= new Uint8Array(Math.min(windowBlocks, this.#transfer.last) * stride);
    const datagrams: Uint8Array[] = [];
    const position = (from - 1) * blockBytes;
    const bytes = Math.min(count * blockBytes, file.bytes - position);
    for (let i = 0; i < count; i++) {
      const length = Math.min(blockBytes, bytes - i * blockBytes);
      const datagram = this.#arena.subarray(i * stride, i * stride + HEADER_BYTES + length);
      datagrams.push(writeDataHeader(datagram, (from + i) & 0xffff));
    }
    const blocks = datagrams.map((datagram) => datagram.subarray(HEADER_BYTES));
    const read = file.read(blocks, position);
    if (typeof read === "number") return this.#leave(datagrams, read === bytes);
    return read.then(
      (got) => this.#leave(datagrams, got === bytes),
      () => this.#leave(datagrams, false),
    );
  }

  #leave(datagrams: readonly Uint8Array[], isWhole: boolean): undefined {
    if (this.#isOver) return;
    if (!isWhole) return void this.#events.unshift({ is: "fault" });
    for (const datagram of datagrams) this.#parts.line.send(datagram);
    this.#parts.line.flush();
  }

  #sendError(code: number, message: string): void {
    this.#parts.line.send(encode({ is: "ERROR", code, message }));
    this.#parts.line.flush();
  }

  /** One timer a session; an acknowledgement that only moves its time further off costs nothing. */
  #arm(): void {
    const { retryAt } = this.#transfer;
    if (this.#isOver || (this.#timer !== undefined && this.#wakeAt <= retryAt)) return;
    clearTimeout(this.#timer);
    this.#wakeAt = retryAt;
    const tick = (): void => {
      this.#timer = undefined;
      this.receive({ is: "tick" });
    };
    this.#timer = setTimeout(tick, Math.max(0, Math.ceil(retryAt - this.#parts.now())));
  }
}
