import type { Socket } from "node:net";
import type { Address } from "@firstlight/wire";
import type { RawAnswers } from "./raw-answer.ts";
import { isArtefactName } from "./artefact.ts";
import { recordArtefact } from "./artefact-sent.ts";
import type { Gate } from "./gate.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Metrics } from "./metrics.ts";
import { type RawRequest, readRawRequest } from "./raw-request.ts";
import { type Requester, sourceOf } from "./requester.ts";
import type { ArtefactCache, CachedArtefact } from "./artefact-cache.ts";

export interface RawConnectionParts {
  readonly cache: ArtefactCache;
  readonly answers: RawAnswers;
  readonly gate: Pick<Gate, "known" | "take">;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly now: () => number;
  readonly limits: RawConnectionLimits;
  /** The HTTP server's connection listener: answers all other requests, and every refusal. */
  readonly slow: (socket: Socket) => void;
}

export interface RawConnectionLimits {
  /** For a first request to come, for the next one, and for a machine that has stopped taking what is sent. */
  readonly firstMs: number;
  readonly idleMs: number;
  readonly stalledMs: number;
  readonly mostRequests: number;
}

const CHUNK_BYTES = 1 << 20;

/**
 * Answers plain requests for cached artefacts on the socket, without an HTTP server, behind the same gate as every route.
 * A connection that sends anything else goes to the HTTP server for good, with the bytes it sent, before any answer to
 * them. ADR 0017 has the argument and the numbers.
 */
export class RawConnections {
  readonly #parts: RawConnectionParts;
  readonly #connections = new Set<Connection>();

  constructor(parts: RawConnectionParts) {
    this.#parts = parts;
  }

  /** Takes a new connection. */
  readonly accept = (socket: Socket): void => {
    const connection = new Connection(socket, this.#parts, () => this.#connections.delete(connection));
    this.#connections.add(connection);
  };

  /** Closes idle connections; a running answer is the last one of its connection. */
  drain(): void {
    for (const connection of this.#connections) connection.drain();
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

/** An answer under way. */
interface Under {
  readonly asked: RawRequest;
  readonly requester: Requester;
  readonly content: Buffer;
  readonly startedAt: number;
  /** Of the content, handed to the kernel or waiting before it. */
  sent: number;
}

class Connection {
  readonly #socket: Socket;
  readonly #parts: RawConnectionParts;
  readonly #onGone: () => void;
  readonly #source: Address | undefined;
  /** True from the arrival of a request to the end of its answer. */
  #isBusy = false;
  #isLast = false;
  #under: Under | undefined;
  /** Bytes that arrived during an answer; the HTTP server answers them. */
  #more: Buffer | undefined;
  #answered = 0;
  #waitsMs = 0;

  constructor(socket: Socket, parts: RawConnectionParts, onGone: () => void) {
    this.#socket = socket;
    this.#parts = parts;
    this.#onGone = onGone;
    this.#source = sourceOf(socket.remoteAddress);
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("timeout", this.#onTimeout);
    socket.on("error", onError);
    socket.on("close", this.#onClose);
    this.#wait(parts.limits.firstMs);
  }

  drain(): void {
    this.#isLast = true;
    if (!this.#isBusy) this.#socket.destroySoon();
  }

  close(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#isLast && !this.#isBusy) return; // the last answer is sent
    if (this.#isBusy) {
      this.#more = this.#more === undefined ? bytes : Buffer.concat([this.#more, bytes]);
      this.#socket.pause(); // so this grows by one read at most
      return;
    }
    const asked = readRawRequest(bytes);
    if (asked === undefined || !isArtefactName(asked.path)) return this.#handOver(bytes);
    this.#isBusy = true;
    this.#answer(asked, bytes).catch(() => this.#socket.destroy());
  };

  async #answer(asked: RawRequest, bytes: Buffer): Promise<void> {
    const { cache, gate, now } = this.#parts;
    const startedAt = now();
    const requester = this.#source === undefined ? undefined : gate.known(this.#source);
    if (requester?.is !== "requester") return this.#handOver(bytes);
    const found = cache.find(asked.path) ?? cache.load(asked.path);
    const artefact = "content" in found ? found : await found;
    if (artefact === undefined) return this.#handOver(bytes);
    const isIn = await gate.take(requester.address);
    if (!isIn) return this.#handOver(bytes);
    if (this.#socket.destroyed) return;
    this.#isLast ||= asked.isLast || ++this.#answered >= this.#parts.limits.mostRequests;
    this.#under = { asked, requester, content: artefact.content, startedAt, sent: 0 };
    this.#begin(this.#under, artefact);
  }

  #begin(under: Under, artefact: CachedArtefact): void {
    const { answers, limits } = this.#parts;
    const whole = this.#isLast ? undefined : answers.whole(artefact);
    if (whole !== undefined) {
      under.sent = under.content.length;
      this.#socket.write(whole, this.#onWritten);
      return;
    }
    this.#wait(limits.stalledMs);
    this.#socket.write(answers.head(artefact, this.#isLast));
    this.#goOn(under);
  }

  /** Sends the content as fast as the machine reads it, without a copy. */
  #goOn(under: Under): void {
    const part = under.content.subarray(under.sent, under.sent + CHUNK_BYTES);
    under.sent += part.length;
    this.#socket.write(part, this.#onWritten);
  }

  readonly #onWritten = (error?: Error | null): void => {
    const under = this.#under;
    if (error || under === undefined) return; // the connection closes, and #onClose records that
    if (under.sent < under.content.length) return this.#goOn(under);
    this.#ended(under, true);
    this.#isBusy = false;
    if (this.#isLast || this.#socket.readableEnded) return this.#socket.destroySoon();
    this.#wait(this.#parts.limits.idleMs);
    if (this.#more !== undefined) this.#handOver(undefined);
  };

  #ended(under: Under, isWhole: boolean): void {
    this.#under = undefined;
    const { asked, requester, content, sent, startedAt } = under;
    const { metrics, events, now } = this.#parts;
    metrics.request("artefact", 200, now() - startedAt);
    metrics.bytes(sent);
    const party = asked.trace === undefined ? { requester } : { requester, trace: asked.trace };
    recordArtefact(events, { path: asked.path, party, bytes: sent, cutFrom: isWhole ? undefined : content.length });
  }

  /** Hands the connection to the HTTP server, with the bytes that were read. */
  #handOver(bytes: Buffer | undefined): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("timeout", this.#onTimeout);
    socket.off("error", onError).off("close", this.#onClose);
    socket.setTimeout(0);
    socket.pause();
    if (this.#more !== undefined) socket.unshift(this.#more);
    if (bytes !== undefined) socket.unshift(bytes);
    this.#onGone();
    this.#parts.slow(socket);
    socket.resume();
  }

  readonly #onEnd = (): void => {
    if (!this.#isBusy) this.#socket.destroySoon();
  };

  /** Any traffic on the connection restarts this timeout. */
  #wait(ms: number): void {
    if (ms === this.#waitsMs) return;
    this.#waitsMs = ms;
    this.#socket.setTimeout(ms);
  }

  readonly #onTimeout = (): void => {
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#onGone();
    if (this.#under) this.#ended(this.#under, false);
  };
}

/** A broken connection closes, and `#onClose` records that. */
function onError(): void {}
