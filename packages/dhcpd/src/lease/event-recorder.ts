import type { EventKind, Reporter, NewEvent } from "@firstlight/api-client";
import { type Clock, RateLimit, type Rate, LruMap } from "@firstlight/service";
import type { Mac } from "@firstlight/wire";

export interface EventRecorderParts {
  readonly reporter: Reporter;
  readonly clock: Pick<Clock, "now">;
  /** How many routine events are told; beyond it they are counted alone. */
  readonly routine: Rate;
  readonly onLeftOut: (kind: EventKind) => void;
}

/** What is told once for a packet sent again and again: the same exchange, the same answer. */
interface Last {
  readonly key: string | number;
  readonly at: number;
}

/** What every boot does. The lease itself is told from its change row, a no always. */
const ROUTINE: ReadonlySet<EventKind> = new Set(["dhcp.discover", "dhcp.offer"]);
/** The same no to the same client is no news for so long. */
const SAME_MS = 60_000;
const MOST_CLIENTS = 65_536;

/**
 * The flight recorder's share of what dhcpd does. An event costs the site as much as a lease, so what a storm of
 * machines repeats is told once, and beyond a rate the routine is counted and no more: what went wrong must have room.
 */
export class EventRecorder {
  readonly #parts: EventRecorderParts;
  readonly #last = new Map<EventKind, LruMap<Mac, Last>>();
  readonly #limit: RateLimit<"routine">;

  constructor(parts: EventRecorderParts) {
    this.#parts = parts;
    this.#limit = new RateLimit(parts.routine, 1);
  }

  /** `key` says what makes it the same event again; `event` is made only where it is told. */
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
