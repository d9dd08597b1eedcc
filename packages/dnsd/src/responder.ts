import { answer, type Limits, newScratch } from "./answer.ts";
import type { Authority } from "./authority.ts";
import type { Metrics, Transport } from "./metrics.ts";

export interface ResponderOptions {
  readonly payloadBytes: number;
  /** A replica older than this is answered SERVFAIL. */
  readonly stalenessMs: number;
}

/** Answers for both transports: checks the replica's age, calls the core, counts the reply. */
export class Responder {
  readonly payloadBytes: number;
  readonly #authority: Pick<Authority, "zones">;
  readonly #age: () => number;
  readonly #metrics: Metrics;
  readonly #mostMs: number;
  readonly #limits: Readonly<Record<Transport, readonly [fresh: Limits, stale: Limits]>>;
  readonly #scratch = newScratch();
  /** Whether the age was checked in this turn of the event loop. */
  #hasLooked = false;
  #wasStale = false;

  constructor(
    authority: Pick<Authority, "zones">,
    age: () => number,
    metrics: Metrics,
    { payloadBytes, stalenessMs }: ResponderOptions,
  ) {
    this.#authority = authority;
    this.#age = age;
    this.#metrics = metrics;
    this.#mostMs = stalenessMs;
    this.payloadBytes = payloadBytes;
    const limits = (isStream: boolean) =>
      [
        { payloadBytes, isStream, isStale: false },
        { payloadBytes, isStream, isStale: true },
      ] as const;
    this.#limits = { udp: limits(false), tcp: limits(true) };
  }

  get isStale(): boolean {
    return this.#age() > this.#mostMs;
  }

  /** Length of the reply in `out`; 0 when there is none, and the reason is counted. */
  respond(query: Uint8Array, length: number, out: Uint8Array, transport: Transport): number {
    if (!this.#hasLooked) this.#look();
    const limits = this.#limits[transport][this.#wasStale ? 1 : 0];
    const said = answer(this.#authority.zones, query, length, out, limits, this.#scratch);
    if (typeof said === "string") {
      this.#metrics.silence(said);
      return 0;
    }
    this.#metrics.answered(transport, this.#scratch.scan.qtype, this.#scratch.reply.rcode);
    return said;
  }

  /** Once for all queries in one turn of the event loop: reading the clock for each costs a tenth of an answer. */
  #look(): void {
    this.#wasStale = this.isStale;
    this.#hasLooked = true;
    queueMicrotask(() => (this.#hasLooked = false));
  }
}
