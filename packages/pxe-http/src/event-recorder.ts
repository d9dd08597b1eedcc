import type { BootEvent, Reporter } from "@firstlight/api-client";
import type { RateLimit } from "@firstlight/service";
import type { Refused } from "./reasons.ts";
import type { Metrics } from "./metrics.ts";
import type { Requester } from "./requester.ts";

/** The client of an event, as far as the network proves it. */
export interface Party {
  readonly requester?: Pick<Requester, "mac" | "address">;
  /** The source of a connection that no lease explains. */
  readonly source?: string;
  readonly trace?: string;
}

export interface EventRecorderParts {
  readonly reporter: Pick<Reporter, "report">;
  readonly metrics: Metrics;
  /** Limits the events of one machine, so that a hostile one cannot push others' events out of the spool. */
  readonly ofMachine: RateLimit<string>;
  /** Limits the events of all clients without a lease. */
  readonly ofStrangers: RateLimit<string>;
  readonly now: () => number;
}

/** Records events for the API within limits; events beyond them are only counted. */
export class EventRecorder {
  readonly #parts: EventRecorderParts;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
  }

  record(kind: BootEvent["kind"], party: Party, what: Pick<BootEvent, "because" | "detail">): void {
    const { reporter, metrics, ofMachine, ofStrangers, now } = this.#parts;
    const { requester, source, trace } = party;
    const isTold = requester ? ofMachine.take(requester.mac, now()) : ofStrangers.take("", now());
    if (!isTold) return metrics.untold();
    const address = requester?.address ?? source;
    reporter.report({
      kind,
      ...(requester && { mac: requester.mac }),
      ...(address !== undefined && { address }),
      ...(trace !== undefined && { trace }),
      ...what,
    });
  }

  refused(party: Party, no: Refused, path: string): void {
    this.#parts.metrics.refusal(no.because);
    const detail = { path: path.slice(0, 255), ...(no.detail !== undefined && { reason: no.detail }) };
    this.record("pxe.refused", party, { because: no.because, detail });
  }
}
