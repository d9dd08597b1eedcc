import type { Datagram } from "@firstlight/datagram";
import type { RateLimit } from "@firstlight/service";
import { ANY, contains, type IPv4, isMalformed, type Mac, type Prefix } from "@firstlight/wire";
import { decode, get } from "@firstlight/wire/dhcp4";
import { type Client, clientOf } from "./client.ts";
import { decide, type Effect } from "./decide.ts";
import { type PacketContext, type Listener, traceOf } from "./packet-context.ts";
import type { DatabaseLookup, Lookups } from "../lease/lookup.ts";
import type { Reason } from "../reasons.ts";
import { promise, type PromiseParts } from "./promise.ts";
import type { Traces } from "../lease/traces.ts";
import { viewOf } from "./view.ts";

export interface Parts extends PromiseParts {
  readonly lookups: Lookups;
  readonly traces: Traces;
  /** Addresses that stand for this server on every listener. */
  readonly serverIds: ReadonlySet<IPv4>;
  /** Networks whose relays are trusted; absent: any. */
  readonly relays: readonly Prefix[] | undefined;
  readonly perClient: RateLimit<Mac>;
  readonly perRelayUnknown: RateLimit<IPv4>;
}

/** The loop: reads packets, asks `decide`, and carries out the effects. It sends an ACK only after the commit. */
export class Server {
  readonly #parts: Parts;
  readonly #underWay = new Set<Promise<void>>();
  #isDraining = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers on one listener until its port is closed. */
  async serve(listener: Listener): Promise<void> {
    for await (const batch of listener.port) {
      for (const datagram of batch) this.#receive(datagram, listener);
    }
  }

  /** Takes no new packet and waits for the replies to those it has. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #receive(datagram: Datagram, listener: Listener): void {
    const { clock, metrics, traces, answer } = this.#parts;
    if (this.#isDraining) return metrics.silence("draining");
    const message = decode(datagram.bytes.slice()); // the engine reuses its buffer
    if (isMalformed(message)) return metrics.silence(message.because);
    const type = get(message.options, "messageType");
    metrics.packet(typeof type === "string" ? type : "other");
    const client = clientOf(message, datagram.from, listener.segmentAddress);
    if ("because" in client) return metrics.silence(client.because);
    const refused = this.#admit(client.mac, client.message.giaddr, client.from.address);
    if (refused !== undefined) return metrics.silence(refused);
    const now = clock.now();
    const trace = isBooting(client) ? traces.of(client.mac, client.stage, now) : traces.known(client.mac, now);
    const context: PacketContext = { client, listener, ifindex: datagram.ifindex, trace };
    if (client.type === "DISCOVER") answer.report(context, "dhcp.discover", undefined, this.#facts(context));
    this.#proceed(context, undefined);
  }

  /** Why this packet is dropped unread. It is only counted, because there may be millions. */
  #admit(mac: Mac, giaddr: IPv4, from: IPv4): Reason | undefined {
    const { relays, replica, perClient, perRelayUnknown, clock } = this.#parts;
    if (giaddr !== ANY && relays && !relays.some((prefix) => contains(prefix, from))) return "relay-not-trusted";
    const now = clock.now();
    const isKnown = replica.expected(mac) !== undefined || replica.interfacesOf(mac).length > 0;
    if (!isKnown && !perRelayUnknown.take(giaddr, now)) return "unknown-machines-limit";
    return perClient.take(mac, now) ? undefined : "client-limit";
  }

  #facts({ client }: PacketContext): Record<string, string> {
    const { stage, arch, vendorClass } = client;
    return { stage, ...(arch !== undefined && { arch }), ...(vendorClass !== undefined && { vendorClass }) };
  }

  #proceed(context: PacketContext, fresh: DatabaseLookup | undefined): void {
    const { clock, replica, holds, serverIds } = this.#parts;
    const { client, listener } = context;
    const isHeld = (address: IPv4): boolean => holds.isHeld(address, client.mac, clock.now());
    const isOurs = (id: IPv4): boolean =>
      id === listener.serverId || id === client.serverIdOverride || serverIds.has(id);
    this.#perform(context, decide(client, viewOf(client, replica, isHeld, fresh), isOurs));
  }

  #perform(context: PacketContext, effect: Effect): void {
    const { answer, holds, metrics, replica, clock } = this.#parts;
    const { client } = context;
    switch (effect.do) {
      case "offer": {
        const { segment, address, prefix, leaseSeconds } = effect;
        if (!this.#hasRoom(client.mac)) return metrics.silence("pending-leases-first");
        holds.hold(address, client.mac, clock.now());
        const known = replica.interface(segment.id, client.mac);
        return answer.grant(context, { type: "OFFER", segment, prefix, address, leaseSeconds, known });
      }
      case "inform": {
        answer.report(context, "dhcp.inform");
        const { segment, prefix } = effect;
        const known = replica.interface(segment.id, client.mac);
        const none = { address: ANY, leaseSeconds: undefined };
        return answer.grant(context, { type: "ACK", segment, prefix, ...none, known });
      }
      case "commit":
        return this.#start(promise(this.#parts, context, { ...effect, address: effect.bind.address as IPv4 }));
      case "giveBack":
        return this.#start(this.#giveBack(context, effect));
      case "ask":
        return this.#start(this.#ask(context, effect.because));
      case "nak":
        return answer.nak(context, effect.because);
      case "ignore":
        return answer.silence(context, effect.because, effect.detail);
    }
  }

  /**
   * An OFFER writes nothing, but the REQUEST that follows does. While the queue is longer than clients wait, new clients get no
   * OFFER. A client that is already in the queue may start again.
   */
  #hasRoom(mac: Mac): boolean {
    const { committer, asked, patienceMs } = this.#parts;
    return committer.waitMs < patienceMs / 2 || asked.isWaiting(mac);
  }

  /** RFC 2131 §4.3.3, §4.3.4: no reply; the change row is the record. */
  async #giveBack(context: PacketContext, { giveBack }: Extract<Effect, { do: "giveBack" }>): Promise<void> {
    const { committer, asked, answer, metrics } = this.#parts;
    asked.forget(context.client.mac);
    const outcome = await committer.submit({ ...giveBack, ...traceOf(context) }).catch(() => undefined);
    if (outcome?.is === "givenBack") return metrics.silence(`${giveBack.do}-taken`);
    answer.silence(context, outcome?.is === "refused" ? outcome.because : "database-away-not-released");
  }

  /** The replica may lag: no client is refused before the database was queried. */
  async #ask(context: PacketContext, because: Reason): Promise<void> {
    const { lookups, answer } = this.#parts;
    const asked = lookups.ask(context.client.mac);
    if (!asked) return answer.silence(context, "lookup-limit");
    const fresh = await asked.catch(() => undefined);
    if (fresh === undefined) return answer.silence(context, "database-away-unconfirmed", { replica: because });
    this.#proceed(context, fresh);
  }

  #start(work: Promise<void>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }
}

/** RFC 2131 table 4: a client without an address starts a new exchange. */
function isBooting({ type, message }: Client): boolean {
  return type === "DISCOVER" || (type === "REQUEST" && message.ciaddr === ANY);
}
