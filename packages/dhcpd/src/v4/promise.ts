import type { Bind, Replica } from "@firstlight/ipam";
import type { Clock } from "@firstlight/service";
import type { IPv4 } from "@firstlight/wire";
import type { Answer } from "./answer.ts";
import type { Asked, Given, Wanted } from "./asked.ts";
import type { Committer } from "../lease/committer.ts";
import { type Exchange, traced } from "./exchange.ts";
import { standing } from "../lease/grace.ts";
import type { Holds } from "../lease/holds.ts";
import type { Metrics } from "../metrics.ts";
import { reasonOf, replyTo } from "../refusals.ts";

export interface PromiseParts {
  readonly clock: Clock;
  readonly replica: Replica;
  readonly committer: Committer;
  readonly asked: Asked;
  readonly holds: Holds;
  readonly answer: Answer;
  readonly metrics: Metrics;
  /** A client that has not been heard of for so long waits for no promise any more. */
  readonly patienceMs: number;
  readonly awayMarginMs: number;
}

/** A promise to one client: durable before it is spoken, and spoken to the newest of the packets that asked for it. */
export async function promise(
  parts: PromiseParts,
  exchange: Exchange,
  wanted: Wanted & { readonly bind: Bind },
): Promise<void> {
  const { clock, committer, asked, answer, metrics, replica, holds, patienceMs } = parts;
  const askedAt = clock.now();
  if (asked.joins(exchange, wanted, askedAt)) return metrics.silence("repeated-while-pending");
  const given = asked.again(exchange, wanted, replica, askedAt);
  if (given) return repeat(parts, exchange, given, askedAt);
  const waiting = asked.wait(exchange, wanted, askedAt);
  const { bind, address, segment, prefix } = wanted;
  const isWanted = (): boolean => clock.now() - waiting.heardAt < patienceMs;
  const outcome = await committer.submit({ ...bind, ...traced(exchange) }, isWanted).catch(() => undefined);
  asked.settle(waiting);
  const newest = waiting.exchange;
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
        epoch,
      });
      return answer.grant(newest, { type: "ACK", segment, prefix, address, leaseSeconds, known });
    }
    case "refused":
      holds.drop(address);
      return answer[replyTo(outcome.because)](newest, reasonOf(outcome.because));
    case "busy":
      return answer.silence(newest, "commit-queue-full");
    case "given up":
      return answer.silence(newest, "client-gave-up");
    case "givenBack":
      return answer.silence(newest, "released-meanwhile");
  }
}

/** The lease as it stands on disk: nothing is promised beyond it. */
function repeat({ answer }: PromiseParts, exchange: Exchange, given: Given, now: number): void {
  const { segment, prefix, address, known } = given;
  const leaseSeconds = given.leaseSeconds - Math.ceil((now - given.askedAt) / 1000);
  answer.grant(exchange, { type: "ACK", segment, prefix, address, leaseSeconds, known });
}

function withoutDatabase(
  { replica, answer, awayMarginMs }: PromiseParts,
  exchange: Exchange,
  { segment, prefix, bind }: Wanted & { readonly bind: Bind },
): void {
  const lease = replica.lease(bind.address, segment.vrf);
  const address = bind.address as IPv4;
  const stands = standing(lease, { ...bind, address }, replica.databaseNow(), awayMarginMs);
  if (stands.is === "none") return answer.silence(exchange, stands.because);
  const known = replica.interface(segment.id, bind.mac);
  const { leaseSeconds } = stands;
  answer.grant(exchange, { type: "ACK", segment, prefix, address, leaseSeconds, known });
  answer.tell(exchange, "dhcp.ack", "database-away-within-grace", {}, address);
}
