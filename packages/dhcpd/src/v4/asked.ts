import type { Interface, PrefixRow, Replica, Segment } from "@firstlight/ipam";
import { LruMap } from "@firstlight/service";
import type { IPv4, Mac } from "@firstlight/wire";
import type { Exchange } from "./exchange.ts";

/** What a client wants to be promised. */
export interface Wanted {
  readonly segment: Segment;
  readonly prefix: PrefixRow;
  readonly address: IPv4;
}

/** A question that waits for its commit. The same one asked again takes its place, not a second one. */
export interface Waiting extends Wanted {
  /** The newest packet that asked: the one that is answered. */
  exchange: Exchange;
  heardAt: number;
}

/** A promise that was spoken a moment ago. */
export interface Given extends Wanted {
  readonly xid: number;
  readonly leaseSeconds: number;
  readonly known: Interface | undefined;
  /** Before the commit: what is left of the lease is never overstated. */
  readonly askedAt: number;
  /** Of the feed: what was promised before a restore is perhaps no longer in the database. */
  readonly epoch: string;
}

/** A promise is repeated from memory for as long as a firmware goes on asking; later it is committed anew. */
const REPEAT_MS = 60_000;

/**
 * What each client has asked and was promised of late, so that a packet sent again costs nothing durable: while its
 * promise is under way it is the newest that gets the answer, and shortly afterwards the answer is given again.
 */
export class Asked {
  readonly #waiting = new Map<Mac, Waiting>();
  readonly #given: LruMap<Mac, Given | undefined>;

  constructor(most: number) {
    this.#given = new LruMap(most);
  }

  /** Whether this very promise is under way; the packet then stands for the ones before it. */
  joins(exchange: Exchange, wanted: Wanted, now: number): boolean {
    const waiting = this.#waiting.get(exchange.client.mac);
    if (waiting === undefined || !isSame(waiting, wanted)) return false;
    waiting.exchange = exchange;
    waiting.heardAt = now;
    return true;
  }

  isWaiting(mac: Mac): boolean {
    return this.#waiting.has(mac);
  }

  wait(exchange: Exchange, { segment, prefix, address }: Wanted, now: number): Waiting {
    const waiting: Waiting = { segment, prefix, address, exchange, heardAt: now };
    this.#waiting.set(exchange.client.mac, waiting);
    return waiting;
  }

  /** It has its answer, or will have none. */
  settle(waiting: Waiting): void {
    const { mac } = waiting.exchange.client;
    if (this.#waiting.get(mac) === waiting) this.#waiting.delete(mac);
  }

  give(mac: Mac, given: Given): void {
    this.#given.set(mac, given);
  }

  /** The address was given back. */
  forget(mac: Mac): void {
    this.#given.set(mac, undefined);
  }

  /** What was promised to this very packet when it came before, if it stands: RFC 2131 §3.1, a client that missed its ACK. */
  again({ client }: Exchange, wanted: Wanted, replica: Pick<Replica, "at" | "lease">, now: number): Given | undefined {
    const given = this.#given.get(client.mac);
    if (given === undefined || !isSame(given, wanted) || given.xid !== client.message.xid) return undefined;
    if (now - given.askedAt > REPEAT_MS || given.epoch !== replica.at.epoch) return undefined;
    const lease = replica.lease(given.address, given.segment.vrf);
    const isDenied = lease !== undefined && (lease.mac !== client.mac || lease.state !== "bound");
    return isDenied ? undefined : given;
  }
}

function isSame(one: Wanted, other: Wanted): boolean {
  return one.address === other.address && one.segment.id === other.segment.id;
}
