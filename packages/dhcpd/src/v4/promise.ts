import type { Bind } from "@firstlight/ipam";
import type { Clock } from "@firstlight/service";
import type { IPv4 } from "@firstlight/wire";
import type { Answer } from "./answer.ts";
import type { RetransmissionCache, GrantedLease, WantedAddress } from "./retransmission-cache.ts";
import type { Committer } from "../lease/committer.ts";
import { type PacketContext, traceOf } from "./packet-context.ts";
import { leaseWithoutDatabase } from "../lease/without-database.ts";
import type { OfferHolds } from "../lease/offer-holds.ts";
import type { Metrics } from "../metrics.ts";
import { REASONS } from "../reasons.ts";
import type { DhcpdReplica } from "../holding.ts";

export interface PromiseParts {
  readonly clock: Clock;
  readonly replica: DhcpdReplica;
  readonly committer: Committer;
  readonly asked: RetransmissionCache;
  readonly holds: OfferHolds;
  readonly answer: Answer;
  readonly metrics: Metrics;
  /** How long after its last packet a client is taken to wait for its ACK. */
  readonly patienceMs: number;
  readonly awayMarginMs: number;
}

/** An ACK for one client: sent only after the commit, in answer to the newest packet that requested it. */
export async function promise(
  parts: PromiseParts,
  context: PacketContext,
  wanted: WantedAddress & { readonly bind: Bind },
): Promise<void> {
  const { clock, committer, asked, answer, metrics, replica, holds, patienceMs } = parts;
  const askedAt = clock.now();
  if (asked.joins(context, wanted, askedAt)) return metrics.silence("repeated-while-pending");
  const given = asked.again(context, wanted, replica, askedAt);
  if (given) return repeat(parts, context, given, askedAt);
  const waiting = asked.wait(context, wanted, askedAt);
  const { bind, address, segment, prefix } = wanted;
  const isWanted = (): boolean => clock.now() - waiting.heardAt < patienceMs;
  const outcome = await committer.submit({ ...bind, ...traceOf(context) }, isWanted).catch(() => undefined);
  asked.settle(waiting);
  const newest = waiting.context;
  if (outcome === undefined) return withoutDatabase(parts, newest, wanted);
  switch (outcome.is) {
    case "bound": {
      const { leaseSeconds } = bind; // the hold stands until it runs out: the replica has not seen the lease yet
      const known = outcome.interface;
      const { client } = newest;
      const { epoch } = replica.at;
      asked.give(client.mac, {
        segment,
        prefix,
        address,
        leaseSeconds,
        known,
        askedAt,
        xid: client.message.xid,
        ciaddr: client.message.ciaddr,
        epoch,
      });
      return answer.grant(newest, { type: "ACK", segment, prefix, address, leaseSeconds, known });
    }
    case "refused":
      holds.drop(address);
      return REASONS[outcome.because].answers === "NAK"
        ? answer.nak(newest, outcome.because)
        : answer.silence(newest, outcome.because);
    case "busy":
      return answer.silence(newest, "commit-queue-full");
    case "given up":
      return answer.silence(newest, "client-gave-up");
    case "givenBack":
      return answer.silence(newest, "released-meanwhile");
  }
}

/** The lease as it is in the database: the ACK promises no more time than it has. */
function repeat({ answer }: PromiseParts, context: PacketContext, given: GrantedLease, now: number): void {
  const { segment, prefix, address, known } = given;
  const leaseSeconds = given.leaseSeconds - Math.ceil((now - given.askedAt) / 1000);
  answer.grant(context, { type: "ACK", segment, prefix, address, leaseSeconds, known });
}

function withoutDatabase(
  { replica, answer, awayMarginMs }: PromiseParts,
  context: PacketContext,
  { segment, prefix, bind }: WantedAddress & { readonly bind: Bind },
): void {
  const lease = replica.lease(bind.address, segment.vrf);
  const address = bind.address as IPv4;
  const stands = leaseWithoutDatabase(lease, { ...bind, address }, replica.databaseNow(), awayMarginMs);
  if (stands.is === "none") return answer.silence(context, stands.because);
  const known = replica.interface(segment.id, bind.identity);
  const { leaseSeconds } = stands;
  answer.grant(context, { type: "ACK", segment, prefix, address, leaseSeconds, known });
  answer.report(context, "dhcp.ack", "database-away-within-grace", {}, address);
}
