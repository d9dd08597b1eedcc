import type { Datagram, Port } from "@firstlight/datagram";
import { isMalformed } from "@firstlight/wire";
import { decode, encode, ERRORS, type Message, type Request } from "@firstlight/wire/tftp";
import { clientOf, keyOf } from "./client.ts";
import { type BootFile, netasciiOf } from "./file.ts";
import type { Files } from "./files.ts";
import type { Asked, EventRecorder } from "./event-recorder.ts";
import type { TransferWorker } from "./transfer-worker.ts";
import { type ReplyPort, ownReplyPort, sharedReplyPort, sourceOf } from "./reply-port.ts";
import type { RateLimit } from "@firstlight/service";
import type { Metrics } from "./metrics.ts";
import { normalise } from "./name.ts";
import { negotiate, type OptionLimits } from "./options.ts";
import { REASONS } from "./reasons.ts";
import { type Refusal, REFUSALS } from "./refusal.ts";
import { type Ended, Session, type SessionEnding, type Underway } from "./session.ts";
import type { TransferEntry, TransferTable } from "./transfer-table.ts";
import { loopTimer } from "./timer.ts";
import type { Patience } from "./transfer.ts";

export interface Parts {
  /** Where requests come in, and everything else with `singlePort`. */
  readonly port: Port;
  /** Takes the files that are in memory; absent where the engine cannot, or one port has to do. */
  readonly worker: TransferWorker | undefined;
  readonly files: Files;
  readonly transfers: TransferTable;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly perClient: RateLimit<string>;
  readonly limits: OptionLimits;
  readonly patience: Patience;
  readonly singlePort: boolean;
  readonly mostNetasciiBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

const SMALLEST_BUFFER_BYTES = 256 * 1024;

/** The loop: requests become sessions, and every other datagram finds its own or learns that there is none. */
export class Server {
  readonly #parts: Parts;
  readonly #closing = new Set<Promise<unknown>>();
  #isDraining = false;
  #onIdle: (() => void) | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Until the port is closed. */
  async serve(): Promise<void> {
    for await (const batch of this.#parts.port) {
      for (const datagram of batch) this.#receive(datagram);
    }
  }

  /** Takes no new request and waits for the transfers under way. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#parts.transfers.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** Ends what is still under way. */
  async stop(): Promise<void> {
    this.#isDraining = true;
    for (const entry of this.#parts.transfers.all()) this.#dismiss(entry, "server-stops");
    await Promise.all(this.#closing);
  }

  #receive(datagram: Datagram): void {
    const message = this.#read(datagram);
    if (message === undefined) return;
    if (message.is === "RRQ" || message.is === "WRQ") return this.#request(message, datagram);
    const entry = this.#parts.singlePort ? this.#parts.transfers.of(keyOf(datagram.from)) : undefined;
    if (entry?.session) return this.#proceed(entry.session, message);
    this.#stray(message, datagram, this.#parts.port);
  }

  #read({ bytes }: Datagram): Message | undefined {
    const message = decode(bytes);
    if (!isMalformed(message)) return message;
    this.#parts.metrics.ignored(message.because);
    return undefined;
  }

  #proceed(session: Underway, message: Message): void {
    if (message.is === "ACK") session.receive({ is: "ack", block: message.block });
    else if (message.is === "ERROR") session.receive({ is: "error", code: message.code });
    else this.#parts.metrics.ignored("means nothing within a transfer");
  }

  /** RFC 1350 §4: another's transfer is not disturbed; an ERROR is never answered, or two servers could go on for ever. */
  #stray(message: Message, datagram: Datagram, port: Port): void {
    const { metrics, perClient, now } = this.#parts;
    metrics.ignored("unknown transfer");
    const { address, endpoint } = clientOf(datagram);
    if (message.is === "ERROR" || !perClient.take(address, now())) return;
    port.send(encode({ is: "ERROR", code: ERRORS.of.unknownTransfer, message: "unknown transfer" }), endpoint);
  }

  #request(request: Request, datagram: Datagram): void {
    const { metrics, perClient, transfers, now } = this.#parts;
    metrics.request(request.is);
    const client = clientOf(datagram);
    const name = normalise(request.file);
    const asked: Asked =
      name.is === "refused"
        ? { client, file: request.file }
        : { client, file: name.path, ...(name.trace !== undefined && { trace: name.trace }) };
    if (!perClient.take(client.address, now())) return this.#refuse(asked, "requests-per-client-limit");
    if (this.#isDraining) return this.#refuse(asked, "draining");
    if (request.is === "WRQ") return this.#refuse(asked, "read-only");
    if (name.is === "refused") return this.#refuse(asked, name.because);
    if (!MODES.has(request.mode)) return this.#refuse(asked, "mode-unknown");
    if (transfers.of(client.key)) this.#parts.worker?.catchUp();
    const before = transfers.of(client.key);
    if (before && isSame(before.request, datagram.bytes)) return this.#again(before);
    if (before) this.#dismiss(before, "client-asked-anew");
    if (!transfers.hasRoomFor(client)) return this.#refuse(asked, "transfers-per-client-limit");
    if (transfers.isFull && !this.#makeRoom()) return this.#refuse(asked, "transfers-limit");
    const entry: TransferEntry = { client, request: datagram.bytes.slice() };
    transfers.add(entry);
    void this.#open(entry, asked, request);
  }

  #again({ session }: TransferEntry): void {
    if (session) session.receive({ is: "again" });
    else this.#parts.metrics.ignored("already-under-way");
  }

  #makeRoom(): boolean {
    const entry = this.#parts.transfers.oldestUnproven();
    if (entry) this.#dismiss(entry, "crowded-out");
    return entry !== undefined;
  }

  async #open(entry: TransferEntry, asked: Asked, request: Request): Promise<void> {
    const { files, events, worker, limits, patience, port, now, metrics, mostNetasciiBytes, transfers } = this.#parts;
    const opened = await files.open(asked.file);
    const file =
      typeof opened !== "string" && request.mode === "netascii" ? await netasciiOf(opened, mostNetasciiBytes) : opened;
    if (typeof file === "string") return this.#giveUp(entry, asked, file);
    const agreed = negotiate(request.options, limits, file.bytes);
    const onEnd = (ended: Ended): void => {
      events.ended(asked, ended);
      this.#free(entry);
    };
    const { client } = entry;
    if (worker && file.content) {
      if (transfers.of(client.key) !== entry) return; // dismissed meanwhile
      events.started(asked, file.bytes, agreed);
      const transfer = { to: client.endpoint, source: sourceOf(client, port), content: file.content, agreed, patience };
      entry.session = worker.start(transfer, onEnd);
      return;
    }
    const window = 2 * agreed.blockBytes * agreed.windowBlocks;
    const replyPort = await this.#replyPort(entry, Math.max(SMALLEST_BUFFER_BYTES, window)).catch(() => undefined);
    if (replyPort === undefined) return this.#giveUp(entry, asked, "no-port", file);
    if (transfers.of(client.key) !== entry) return this.#close(replyPort.close(), file); // dismissed meanwhile
    events.started(asked, file.bytes, agreed);
    entry.session = new Session({
      file,
      replyPort,
      agreed,
      patience,
      now,
      onIgnored: (because) => metrics.ignored(because),
      timer: loopTimer(),
      onEnd,
    });
  }

  async #replyPort(entry: TransferEntry, bufferBytes: number): Promise<ReplyPort> {
    const { port, singlePort, transfers } = this.#parts;
    const { client } = entry;
    if (singlePort) return sharedReplyPort(client, port);
    return ownReplyPort(client, port, bufferBytes, (datagram, own) => {
      const message = this.#read(datagram);
      if (message === undefined) return;
      const isOurs = keyOf(datagram.from) === client.key && transfers.of(client.key) === entry;
      if (isOurs && entry.session) this.#proceed(entry.session, message);
      else this.#stray(message, datagram, own);
    });
  }

  #giveUp(entry: TransferEntry, asked: Asked, because: Refusal, file?: BootFile): void {
    if (file) this.#close(undefined, file);
    if (this.#free(entry)) this.#refuse(asked, because);
  }

  #refuse(asked: Asked, because: Refusal): void {
    const { port, events } = this.#parts;
    const error = REFUSALS[because];
    if (error !== "silence") {
      sharedReplyPort(asked.client, port).send(
        encode({ is: "ERROR", code: ERRORS.of[error], message: REASONS[because].sentence }),
      );
    }
    events.refused(asked, because);
  }

  #dismiss(entry: TransferEntry, because: SessionEnding): void {
    entry.session?.end(because);
    this.#free(entry); // at once, also where the worker has yet to hear of it
  }

  #free(entry: TransferEntry): boolean {
    const isFreed = this.#parts.transfers.remove(entry);
    if (entry.session) this.#track(entry.session.closed);
    if (this.#parts.transfers.size === 0) this.#onIdle?.();
    return isFreed;
  }

  #close(replyPort: Promise<void> | undefined, file: BootFile): void {
    this.#track(Promise.allSettled([replyPort, file[Symbol.asyncDispose]()]));
  }

  #track(closing: Promise<unknown>): void {
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }
}

const MODES: ReadonlySet<string> = new Set(["octet", "netascii"]);

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
