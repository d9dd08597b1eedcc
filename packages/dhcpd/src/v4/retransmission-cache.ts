import type { Interface, PrefixRow, Replica, Segment } from "@firstlight/ipam";
import { LruMap } from "@firstlight/service";
import type { IPv4, Mac } from "@firstlight/wire";
import type { Message } from "@firstlight/wire/dhcp4";
import { renewalSeconds } from "../lease/times.ts";
import type { PacketContext } from "./packet-context.ts";

/** The address that a client requests. */
export interface WantedAddress {
  readonly segment: Segment;
  readonly prefix: PrefixRow;
  readonly address: IPv4;
}

/** A request that waits for its commit. A retransmission replaces its packet; it does not wait twice. */
export interface PendingLease extends WantedAddress {
  /** The newest packet of the request: the one that is answered. */
  context: PacketContext;
  heardAt: number;
}

/** A lease that was acknowledged a moment ago. */
export interface GrantedLease extends WantedAddress {
  readonly xid: number;
  /** What the request carried: zero while it selected or rebooted, its address when it renewed or rebound. */
  readonly ciaddr: IPv4;
  readonly leaseSeconds: number;
  readonly known: Interface | undefined;
  /** Time before the commit, so that a repeated ACK never overstates the lease's rest. */
  readonly askedAt: number;
  /** Epoch of the feed: after a restore the lease may be missing in the database. */
  readonly epoch: string;
}

/** For this long a retransmission is answered from memory, if the lease is not short; later the lease is committed again. */
const REPEAT_MS = 60_000;

/**
 * Recent requests and acknowledged leases by client, so that a retransmission writes nothing: while the commit is pending
 * the newest packet is answered, and for a short time afterwards the same answer is sent again.
 */
export class RetransmissionCache {
  readonly #waiting = new Map<Mac, PendingLease>();
  readonly #given: LruMap<Mac, GrantedLease | undefined>;

  constructor(most: number) {
    this.#given = new LruMap(most);
  }

  /** Whether the same request is pending; this packet then replaces the earlier ones. */
  joins(context: PacketContext, wanted: WantedAddress, now: number): boolean {
    const waiting = this.#waiting.get(context.client.mac);
    if (waiting === undefined || !isSame(waiting, wanted)) return false;
    waiting.context = context;
    waiting.heardAt = now;
    return true;
  }

  isWaiting(mac: Mac): boolean {
    return this.#waiting.has(mac);
  }

  wait(context: PacketContext, { segment, prefix, address }: WantedAddress, now: number): PendingLease {
    const waiting: PendingLease = { segment, prefix, address, context, heardAt: now };
    this.#waiting.set(context.client.mac, waiting);
    return waiting;
  }

  /** Removes a request that was answered or dropped. */
  settle(waiting: PendingLease): void {
    const { mac } = waiting.context.client;
    if (this.#waiting.get(mac) === waiting) this.#waiting.delete(mac);
  }

  give(mac: Mac, given: GrantedLease): void {
    this.#given.set(mac, given);
  }

  /** Forgets the lease: the address was released or declined. */
  forget(mac: Mac): void {
    this.#given.set(mac, undefined);
  }

  /** The lease acknowledged to this packet before, if it still holds: RFC 2131 §3.1, a client that missed its ACK. */
  again(
    { client }: PacketContext,
    wanted: WantedAddress,
    replica: Pick<Replica, "at" | "lease">,
    now: number,
  ): GrantedLease | undefined {
    const given = this.#given.get(client.mac);
    if (given === undefined || !isSame(given, wanted) || !isSameMessage(given, client.message)) return undefined;
    if (now - given.askedAt > repeatMs(given) || given.epoch !== replica.at.epoch) return undefined;
    const lease = replica.lease(given.address, given.segment.vrf);
    const isDenied = lease !== undefined && (lease.identity !== client.mac || lease.state !== "bound");
    return isDenied ? undefined : given;
  }
}

function isSame(one: WantedAddress, other: WantedAddress): boolean {
  return one.address === other.address && one.segment.id === other.segment.id;
}

/** ISC dhclient keeps the xid of its first exchange when it renews: ciaddr tells the renewal from a retransmission. */
function isSameMessage(given: GrantedLease, { xid, ciaddr }: Message): boolean {
  return given.xid === xid && given.ciaddr === ciaddr;
}

/** Well before the client renews: two renewals in a row are alike, and the second must extend the lease. */
function repeatMs({ segment, leaseSeconds }: GrantedLease): number {
  return Math.min(REPEAT_MS, (renewalSeconds(segment, leaseSeconds) * 1000) / 2);
}
