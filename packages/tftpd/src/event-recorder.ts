import type { Client } from "./client.ts";
import type { Metrics } from "./metrics.ts";
import type { EventAttribution } from "./event-attribution.ts";
import type { Agreement } from "./options.ts";
import type { Refusal } from "./refusal.ts";
import type { Ended } from "./session.ts";

/** What a client asked for, as far as it could be read. */
export interface Asked {
  readonly client: Client;
  readonly file: string;
  readonly trace?: string;
}

export interface EventRecorderParts {
  readonly attribution: Pick<EventAttribution, "report">;
  readonly metrics: Metrics;
  /** Wall clock in milliseconds: an event that waits for its MAC keeps the time at which it happened. */
  readonly now: () => number;
}

/** Records events for the API and counts them. */
export class EventRecorder {
  readonly #parts: EventRecorderParts;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
  }

  started(asked: Asked, bytes: number, { blockBytes, windowBlocks }: Agreement): void {
    this.#record("tftp.start", asked, undefined, { bytes, blksize: blockBytes, windowsize: windowBlocks });
  }

  ended(asked: Asked, ended: Ended): void {
    const { because, bytes, resent, ms } = ended;
    this.#parts.metrics.ended(because, ended);
    this.#record("tftp.end", asked, because, { bytes, resent, ms: Math.round(ms) });
  }

  refused(asked: Asked, because: Refusal): void {
    this.#parts.metrics.refused(because);
    this.#record("tftp.refused", asked, because, {});
  }

  #record(
    kind: "tftp.start" | "tftp.end" | "tftp.refused",
    { client, file, trace }: Asked,
    because: string | undefined,
    numbers: Readonly<Record<string, number>>,
  ): void {
    const { attribution, now } = this.#parts;
    const event = {
      kind,
      at: now(),
      address: client.address,
      ...(trace !== undefined && { trace }),
      ...(because !== undefined && { because }),
      detail: { file, ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)])) },
    };
    attribution.report(event, client.endpoint.address);
  }
}
