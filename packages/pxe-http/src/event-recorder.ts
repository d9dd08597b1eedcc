import type { BootEvent, Reporter } from "@firstlight/api-client";
import type { RateLimit } from "@firstlight/service";
import type { Refused } from "./reasons.ts";
import type { Metrics } from "./metrics.ts";
import type { Requester } from "./requester.ts";

/** Who did it, as far as the network proves it. */
export interface Party {
  readonly requester?: Pick<Requester, "mac" | "address">;
  /** The source of a connection that no lease explains. */
  readonly source?: string;
  readonly trace?: string;
}

export interface EventRecorderParts {
  readonly reporter: Pick<Reporter, "report">;
  readonly metrics: Metrics;
  /** Bounds what is told of one machine, so that a hostile one cannot push the others' events out of the spool. */
  readonly ofMachine: RateLimit<string>;
  /** Bounds what is told of all that have no lease. */
  readonly ofStrangers: RateLimit<string>;
  readonly now: () => number;
}

/** Tells the flight recorder, within bounds; what is beyond them is counted. */
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
