import type { Datagram, Port } from "@firstlight/datagram";
import { isMalformed } from "@firstlight/wire";
import { decode, encode, ERRORS, type Message, type Request } from "@firstlight/wire/tftp";
import { clientOf, keyOf } from "./client.ts";
import { type BootFile, netasciiOf } from "./file.ts";
import type { Files } from "./files.ts";
import type { Asked, Journal } from "./journal.ts";
import type { Lane } from "./lane.ts";
import { type Line, ownLine, sharedLine, sourceOf } from "./line.ts";
import type { RateLimit } from "@firstlight/service";
import type { Metrics } from "./metrics.ts";
import { normalise } from "./name.ts";
import { negotiate, type OptionLimits } from "./options.ts";
import { type Refusal, REFUSALS } from "./refusal.ts";
import { type Ended, Session, type SessionEnding, type Underway } from "./session.ts";
import type { Slot, Slots } from "./slots.ts";
import { loopTimer } from "./timer.ts";
import type { Patience } from "./transfer.ts";

export interface Parts {
  /** Where requests come in, and everything else with `singlePort`. */
  readonly port: Port;
  /** Takes the files that are in memory; absent where the engine cannot, or one port has to do. */
  readonly lane: Lane | undefined;
  readonly files: Files;
  readonly slots: Slots;
  readonly journal: Journal;
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
    if (this.#parts.slots.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** Ends what is still under way. */
  async stop(): Promise<void> {
    this.#isDraining = true;
    for (const slot of this.#parts.slots.all()) this.#dismiss(slot, "server stops");
    await Promise.all(this.#closing);
  }

  #receive(datagram: Datagram): void {
    const message = this.#read(datagram);
    if (message === undefined) return;
    if (message.is === "RRQ" || message.is === "WRQ") return this.#request(message, datagram);
    const slot = this.#parts.singlePort ? this.#parts.slots.of(keyOf(datagram.from)) : undefined;
    if (slot?.session) return this.#proceed(slot.session, message);
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
    const { metrics, perClient, slots, now } = this.#parts;
    metrics.request(request.is);
    const client = clientOf(datagram);
    const name = normalise(request.file);
    const asked: Asked =
      name.is === "refused"
        ? { client, file: request.file }
        : { client, file: name.path, ...(name.trace !== undefined && { trace: name.trace }) };
    if (!perClient.take(client.address, now())) return this.#refuse(asked, "too many requests of this client");
    if (this.#isDraining) return this.#refuse(asked, "draining");
    if (request.is === "WRQ") return this.#refuse(asked, "server is read-only");
    if (name.is === "refused") return this.#refuse(asked, name.because);
    if (!MODES.has(request.mode)) return this.#refuse(asked, "mode is neither octet nor netascii");
    if (slots.of(client.key)) this.#parts.lane?.catchUp();
    const before = slots.of(client.key);
    if (before && isSame(before.request, datagram.bytes)) return this.#again(before);
    if (before) this.#dismiss(before, "client asked anew");
    if (!slots.hasRoomFor(client)) return this.#refuse(asked, "too many transfers of this client");
    if (slots.isFull && !this.#makeRoom()) return this.#refuse(asked, "too many transfers");
    const slot: Slot = { client, request: datagram.bytes.slice() };
    slots.add(slot);
    void this.#open(slot, asked, request);
  }

  #again({ session }: Slot): void {
    if (session) session.receive({ is: "again" });
    else this.#parts.metrics.ignored("already under way");
  }

  #makeRoom(): boolean {
    const slot = this.#parts.slots.oldestUnproven();
    if (slot) this.#dismiss(slot, "crowded out");
    return slot !== undefined;
  }

  async #open(slot: Slot, asked: Asked, request: Request): Promise<void> {
    const { files, journal, lane, limits, patience, port, now, metrics, mostNetasciiBytes, slots } = this.#parts;
    const opened = await files.open(asked.file);
    const file =
      typeof opened !== "string" && request.mode === "netascii" ? await netasciiOf(opened, mostNetasciiBytes) : opened;
    if (typeof file === "string") return this.#giveUp(slot, asked, file);
    const agreed = negotiate(request.options, limits, file.bytes);
    const onEnd = (ended: Ended): void => {
      journal.ended(asked, ended);
      this.#free(slot);
    };
    const { client } = slot;
    if (lane && file.content) {
      if (slots.of(client.key) !== slot) return; // dismissed meanwhile
      journal.started(asked, file.bytes, agreed);
      const wanted = { to: client.endpoint, source: sourceOf(client, port), content: file.content, agreed, patience };
      slot.session = lane.carry(wanted, onEnd);
      return;
    }
    const window = 2 * agreed.blockBytes * agreed.windowBlocks;
    const line = await this.#line(slot, Math.max(SMALLEST_BUFFER_BYTES, window)).catch(() => undefined);
    if (line === undefined) return this.#giveUp(slot, asked, "no port for the transfer", file);
    if (slots.of(client.key) !== slot) return this.#close(line.close(), file); // dismissed meanwhile
    journal.started(asked, file.bytes, agreed);
    slot.session = new Session({
      file,
      line,
      agreed,
      patience,
      now,
      onIgnored: (because) => metrics.ignored(because),
      timer: loopTimer(),
      onEnd,
    });
  }

  async #line(slot: Slot, bufferBytes: number): Promise<Line> {
    const { port, singlePort, slots } = this.#parts;
    const { client } = slot;
    if (singlePort) return sharedLine(client, port);
    return ownLine(client, port, bufferBytes, (datagram, own) => {
      const message = this.#read(datagram);
      if (message === undefined) return;
      const isOurs = keyOf(datagram.from) === client.key && slots.of(client.key) === slot;
      if (isOurs && slot.session) this.#proceed(slot.session, message);
      else this.#stray(message, datagram, own);
    });
  }

  #giveUp(slot: Slot, asked: Asked, because: Refusal, file?: BootFile): void {
    if (file) this.#close(undefined, file);
    if (this.#free(slot)) this.#refuse(asked, because);
  }

  #refuse(asked: Asked, because: Refusal): void {
    const { port, journal } = this.#parts;
    const error = REFUSALS[because];
    if (error !== "silence") {
      sharedLine(asked.client, port).send(encode({ is: "ERROR", code: ERRORS.of[error], message: because }));
    }
    journal.refused(asked, because);
  }

  #dismiss(slot: Slot, because: SessionEnding): void {
    slot.session?.end(because);
    this.#free(slot); // at once, also where the lane has yet to hear of it
  }

  #free(slot: Slot): boolean {
    const isFreed = this.#parts.slots.remove(slot);
    if (slot.session) this.#track(slot.session.closed);
    if (this.#parts.slots.size === 0) this.#onIdle?.();
    return isFreed;
  }

  #close(line: Promise<void> | undefined, file: BootFile): void {
    this.#track(Promise.allSettled([line, file[Symbol.asyncDispose]()]));
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
