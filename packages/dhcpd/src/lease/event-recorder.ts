import type { EventKind, Reporter, NewEvent } from "@firstlight/api-client";
import { type Clock, RateLimit, type Rate, LruMap } from "@firstlight/service";
import type { Mac } from "@firstlight/wire";

export interface EventRecorderParts {
  readonly reporter: Reporter;
  readonly clock: Pick<Clock, "now">;
  /** The rate of routine events that are recorded; those beyond it are only counted. */
  readonly routine: Rate;
  readonly onLeftOut: (kind: EventKind) => void;
}

/** Kinds that are recorded once for a repeated packet: the same exchange with the same answer. */
interface Last {
  readonly key: string | number;
  readonly at: number;
}

/** Events of every boot. Leases are reported from their change rows; refusals are always recorded. */
const ROUTINE: ReadonlySet<EventKind> = new Set(["dhcp.discover", "dhcp.offer"]);
/** How long the same refusal to the same client is not recorded again. */
const SAME_MS = 60_000;
const MOST_CLIENTS = 65_536;

/**
 * Records dhcpd's events for the API. An event costs the site as much as a lease. Therefore a repetition is recorded once, and
 * routine events beyond a rate are only counted, so that events of faults have room.
 */
export class EventRecorder {
  readonly #parts: EventRecorderParts;
  readonly #last = new Map<EventKind, LruMap<Mac, Last>>();
  readonly #limit: RateLimit<"routine">;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
    this.#limit = new RateLimit(parts.routine, 1);
  }

  /** Two events with the same `key` are the same event; `event` is called only if it is recorded. */
  record(kind: EventKind, mac: Mac, key: string | number | undefined, event: () => NewEvent): void {
    const { reporter, clock, onLeftOut } = this.#parts;
    const now = clock.now();
    if ((key !== undefined && this.#isAgain(kind, mac, key, now)) || !this.#hasRoom(kind, now)) return onLeftOut(kind);
    reporter.report(event());
  }

  #isAgain(kind: EventKind, mac: Mac, key: string | number, now: number): boolean {
    let last = this.#last.get(kind);
    if (last === undefined) this.#last.set(kind, (last = new LruMap(MOST_CLIENTS)));
    const known = last.get(mac);
    if (known?.key === key && now - known.at < SAME_MS) return true;
    last.set(mac, { key, at: now });
    return false;
  }

  #hasRoom(kind: EventKind, now: number): boolean {
    return !ROUTINE.has(kind) || this.#limit.take("routine", now);
  }
}
