import type { Reporter, NewEvent } from "@firstlight/api-client";
import { type Lease, macOf, type Replica } from "@firstlight/ipam";
import type { RateLimit } from "@firstlight/service";
import { type Address, formatMac } from "@firstlight/wire";

export interface EventAttributionParts {
  readonly replica: Pick<Replica, "lease" | "follow">;
  readonly reporter: Pick<Reporter, "report">;
  /** How long an event waits for its MAC, in milliseconds. */
  readonly waitMs: number;
  /** Limits the events of clients without a lease. */
  readonly ofStrangers: RateLimit<string>;
  readonly now: () => number;
}

interface Waiting {
  readonly events: NewEvent[];
  readonly timer: NodeJS.Timeout;
}

/** Limits of waiting addresses, and of waiting events of each; events beyond them are reported without a MAC. */
const [MOST_ADDRESSES, MOST_EVENTS] = [1024, 32];

/**
 * Adds the MAC of the lease at an event's address. A request may arrive before the feed has brought its lease, so the
 * event waits for it up to `waitMs`; later events of the same address wait behind it.
 */
export class EventAttribution {
  readonly #parts: EventAttributionParts;
  readonly #waiting = new Map<Address, Waiting>();
  #following: Disposable | undefined;

  constructor(parts: EventAttributionParts) {
    this.#parts = parts;
  }

  report(event: NewEvent, address: Address): void {
    const { replica, waitMs } = this.#parts;
    const before = this.#waiting.get(address);
    if (before && before.events.length < MOST_EVENTS) return void before.events.push(event);
    if (this.#leaseAt(address) || waitMs === 0 || this.#waiting.size >= MOST_ADDRESSES || before) {
      return this.#leave(event, address);
    }
    this.#waiting.set(address, { events: [event], timer: setTimeout(() => this.#release(address), waitMs) });
    this.#following ??= replica.follow(() => this.#releaseNamed());
  }

  /** Reports the events that still wait. */
  stop(): void {
    for (const address of this.#waiting.keys()) this.#release(address);
  }

  #releaseNamed(): void {
    for (const address of this.#waiting.keys()) if (this.#leaseAt(address)) this.#release(address);
  }

  #release(address: Address): void {
    const { events, timer } = this.#waiting.get(address)!;
    clearTimeout(timer);
    this.#waiting.delete(address);
    for (const event of events) this.#leave(event, address);
    if (this.#waiting.size > 0) return;
    this.#following?.[Symbol.dispose]();
    this.#following = undefined;
  }

  #leaseAt(address: Address): Lease | undefined {
    const lease = this.#parts.replica.lease(address);
    return lease?.state === "bound" ? lease : undefined;
  }

  #leave(event: NewEvent, address: Address): void {
    const { reporter, ofStrangers, now } = this.#parts;
    const lease = this.#leaseAt(address);
    if (!lease && !ofStrangers.take(event.kind, now())) return;
    const mac = lease && macOf(lease.identity);
    reporter.report({ ...event, ...(mac !== undefined && { mac: formatMac(mac) }) });
  }
}
