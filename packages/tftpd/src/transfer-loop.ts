import type { BlockingPort, Datagram, Endpoint } from "@firstlight/datagram";
import { isMalformed } from "@firstlight/wire";
import { decode, encode, ERRORS, HEADER_BYTES, writeDataHeader } from "@firstlight/wire/tftp";
import { type Key, keyOf } from "./client.ts";
import { inMemory } from "./file.ts";
import type { ReplyPort } from "./reply-port.ts";
import type { Agreement } from "./options.ts";
import { type Ended, Session, type SessionEnding, type Timer } from "./session.ts";
import type { Patience } from "./transfer.ts";

/** A command to the worker thread. */
export type WorkerCommand =
  | {
      readonly do: "start";
      readonly id: number;
      readonly to: Endpoint;
      /** The local address that was asked. */
      readonly source: Endpoint["address"] | undefined;
      readonly content: Uint8Array;
      readonly agreed: Agreement;
      readonly patience: Patience;
    }
  | { readonly do: "again"; readonly id: number }
  | { readonly do: "end"; readonly id: number; readonly because: SessionEnding }
  | { readonly do: "stop" };

/** A report from the worker thread. */
export type WorkerReport =
  | { readonly is: "open" }
  | { readonly is: "proven"; readonly id: number }
  | { readonly is: "ended"; readonly id: number; readonly ended: Ended }
  | { readonly is: "ignored"; readonly because: string; readonly count: number };

interface LoopTransfer {
  readonly id: number;
  readonly key: Key;
  readonly session: Session;
  readonly timer: TickedTimer;
  isProven: boolean;
}

export interface TransferLoopParts {
  readonly port: BlockingPort;
  readonly now: () => number;
  readonly nextCommand: () => WorkerCommand | undefined;
  readonly report: (report: WorkerReport) => void;
}

/** How exact timers are while there are transfers, and how long the thread sleeps while there is none. */
const [TICK_MS, IDLE_MS, COUNTS_MS] = [10, 1000, 1000];
/** Errors a second to clients that have no transfer here. */
const STRAYS_A_SECOND = 100;

/** The loop of the worker's thread: every transfer whose file is in memory, on one port that their clients tell apart. */
export class TransferLoop {
  readonly #parts: TransferLoopParts;
  readonly #byKey = new Map<Key, LoopTransfer>();
  readonly #byId = new Map<number, LoopTransfer>();
  readonly #ignored = new Map<string, number>();
  #strays = 0;
  #tickAt = 0;
  #countsAt = 0;
  #isStopped = false;

  constructor(parts: TransferLoopParts) {
    this.#parts = parts;
  }

  /** Runs until the `stop` command. */
  run(): void {
    const { port, nextCommand } = this.#parts;
    while (!this.#isStopped) {
      for (const datagram of port.receive(this.#byId.size > 0 ? TICK_MS : IDLE_MS)) this.#take(datagram);
      if (port.isWoken)
        for (let command = nextCommand(); command !== undefined; command = nextCommand()) this.#execute(command);
      this.#tick();
    }
    for (const { session } of this.#byId.values()) session.end("server-stops");
    this.#reportCounts();
    port.flush();
  }

  #take({ bytes, from }: Datagram): void {
    const message = decode(bytes);
    if (isMalformed(message)) return this.#ignore(message.because);
    const transfer = this.#byKey.get(keyOf(from));
    if (transfer === undefined) return this.#stray(message.is === "ERROR", from);
    if (message.is === "ACK") transfer.session.receive({ is: "ack", block: message.block });
    else if (message.is === "ERROR") transfer.session.receive({ is: "error", code: message.code });
    else return this.#ignore("means nothing within a transfer");
    if (transfer.isProven || !transfer.session.isProven) return;
    transfer.isProven = true;
    this.#parts.report({ is: "proven", id: transfer.id });
  }

  /** RFC 1350 §4: another's transfer is not disturbed; an ERROR is never answered. */
  #stray(isError: boolean, from: Endpoint): void {
    this.#ignore("unknown transfer");
    if (isError || ++this.#strays > STRAYS_A_SECOND) return;
    this.#parts.port.send(encode({ is: "ERROR", code: ERRORS.of.unknownTransfer, message: "unknown transfer" }), from);
  }

  #execute(command: WorkerCommand): void {
    switch (command.do) {
      case "start":
        return this.#start(command);
      case "again":
        return this.#byId.get(command.id)?.session.receive({ is: "again" });
      case "end":
        return this.#byId.get(command.id)?.session.end(command.because);
      case "stop":
        this.#isStopped = true;
    }
  }

  #start(command: Extract<WorkerCommand, { do: "start" }>): void {
    const { id, to, content, agreed, patience } = command;
    const { now, report } = this.#parts;
    const key = keyOf(to);
    this.#byKey.get(key)?.session.end("client-asked-anew");
    const timer = new TickedTimer(now);
    const session: Session = new Session({
      file: inMemory(content),
      replyPort: this.#replyPort(command),
      agreed,
      patience,
      now,
      timer,
      onIgnored: (because) => this.#ignore(because),
      onEnd: (ended) => {
        this.#byId.delete(id);
        if (this.#byKey.get(key)?.id === id) this.#byKey.delete(key);
        report({ is: "ended", id, ended });
      },
    });
    const transfer: LoopTransfer = { id, key, session, timer, isProven: false };
    this.#byId.set(id, transfer);
    this.#byKey.set(key, transfer);
  }

  /** Blocks leave from where the file stands; all of it leaves before the wait. */
  #replyPort({ content, agreed, to, source }: Extract<WorkerCommand, { do: "start" }>): ReplyPort {
    const { port } = this.#parts;
    const { blockBytes, windowBlocks } = agreed;
    const from = source === undefined ? undefined : { address: source };
    const body = port.pin(content);
    const heads = new Uint8Array(windowBlocks * HEADER_BYTES);
    const head = Array.from({ length: windowBlocks }, (_, i) => heads.subarray(i * HEADER_BYTES));
    return {
      send: (bytes) => port.send(bytes, to, from),
      sendBlocks(first, count) {
        for (let i = 0; i < count; i++) writeDataHeader(head[i]!, (first + i) & 0xffff);
        const position = (first - 1) * blockBytes;
        port.sendRun({ body, position, sliceBytes: blockBytes, count, heads, headBytes: HEADER_BYTES }, to, from);
      },
      flush() {},
      close: async () => {},
    };
  }

  #tick(): void {
    const now = this.#parts.now();
    if (now < this.#tickAt) return;
    this.#tickAt = now + TICK_MS;
    for (const { timer } of this.#byId.values()) timer.look(now);
    if (now < this.#countsAt) return;
    this.#countsAt = now + COUNTS_MS;
    this.#strays = 0;
    this.#reportCounts();
  }

  #ignore(because: string): void {
    this.#ignored.set(because, (this.#ignored.get(because) ?? 0) + 1);
  }

  #reportCounts(): void {
    for (const [because, count] of this.#ignored) this.#parts.report({ is: "ignored", because, count });
    this.#ignored.clear();
  }
}

/** A timer that the loop checks at every tick. */
class TickedTimer implements Timer {
  readonly #now: () => number;
  #at = Number.POSITIVE_INFINITY;
  #tick: () => void = () => {};

  constructor(now: () => number) {
    this.#now = now;
  }

  set(ms: number, tick: () => void): void {
    this.#at = this.#now() + ms;
    this.#tick = tick;
  }

  clear(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }

  look(now: number): void {
    if (now < this.#at) return;
    this.clear();
    this.#tick();
  }
}
