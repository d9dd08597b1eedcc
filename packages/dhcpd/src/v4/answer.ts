import type { EventKind } from "@firstlight/api-client";
import { hostLabel, labelOf, type Interface, type PrefixRow, type Segment } from "@firstlight/ipam";
import { ANY, formatIPv4, formatMac, type IPv4 } from "@firstlight/wire";
import { encode, fit, type Message } from "@firstlight/wire/dhcp4";
import { type Boot, type BootSource, bootOf } from "./boot.ts";
import type { Client } from "./client.ts";
import { destination, type ReplyType } from "./delivery.ts";
import type { PacketContext } from "./packet-context.ts";
import type { EventRecorder } from "../lease/event-recorder.ts";
import type { Metrics } from "../metrics.ts";
import { type Reason, REASONS } from "../reasons.ts";
import { gatewayOf, grant, refusal, withRelayEcho } from "./reply.ts";
import type { DhcpdReplica } from "../holding.ts";

export interface AnswerParts {
  readonly replica: DhcpdReplica;
  readonly source: BootSource;
  readonly metrics: Metrics;
  readonly events: EventRecorder;
}

/** What is promised or only told. `address` 0 and no lease time answer an INFORM. */
export interface Granted {
  readonly type: "OFFER" | "ACK";
  readonly segment: Segment;
  readonly prefix: PrefixRow;
  readonly address: IPv4;
  readonly leaseSeconds: number | undefined;
  readonly known: Interface | undefined;
}

/** The three ways to answer, silence among them: each leaves a trace in the metrics and in the machine's record. */
export class Answer {
  readonly #parts: AnswerParts;
  /** Every reply is written here: a port copies what it is given. */
  readonly #scratch = new Uint8Array(1500);

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  grant(context: PacketContext, granted: Granted): void {
    const { replica, source } = this.#parts;
    const { client } = context;
    const { segment, prefix, address } = granted;
    const boot = this.#boot(context, granted);
    const reply = grant(client, {
      ...granted,
      prefix: prefix.prefix,
      gateway: gatewayOf(prefix),
      domain: replica.domain(segment.domain),
      label: address === ANY ? undefined : this.#label(client, granted),
      serverId: serverIdOf(context),
      nextServer: source.nextServer,
      boot,
    });
    this.#send(context, granted.type, reply);
    if (granted.type === "OFFER") {
      const file = boot.bootFile === undefined ? {} : { file: boot.bootFile };
      const arch = client.arch !== undefined && boot.because === "no-boot-file" ? { arch: client.arch } : {};
      this.report(context, "dhcp.offer", boot.because, { ...file, ...arch, stage: client.stage }, address);
    }
  }

  nak(context: PacketContext, because: Reason): void {
    this.#send(context, "NAK", refusal(context.client, serverIdOf(context), REASONS[because].sentence));
    this.report(context, "dhcp.nak", because);
  }

  silence(context: PacketContext, because: Reason, detail: Readonly<Record<string, string>> = {}): void {
    this.#parts.metrics.silence(because);
    this.report(context, "dhcp.silence", because, { type: context.client.type, ...detail });
  }

  report(
    { client, trace }: PacketContext,
    kind: EventKind,
    because?: Reason,
    detail: Readonly<Record<string, string>> = {},
    address?: IPv4,
  ): void {
    this.#parts.events.record(kind, client.mac, KEYS[kind]?.(client, because), () => ({
      kind,
      mac: formatMac(client.mac),
      ...(trace !== undefined && { trace }),
      ...(because !== undefined && { because }),
      ...(address !== undefined && address !== ANY && { address: formatIPv4(address) }),
      detail: { ...detail, ...(client.relay && { relay: formatIPv4(client.message.giaddr) }) },
    }));
  }

  #boot({ client, trace }: PacketContext, { segment, leaseSeconds }: Granted): Boot {
    if (!segment.boots) return { because: "boots-nothing" };
    if (trace === undefined || leaseSeconds === undefined) return { because: "no-boot-under-way" };
    return bootOf(client, this.#parts.source, trace);
  }

  /** The name the client will have in DNS; of a machine not seen before, the one declared for it. */
  #label({ mac }: Client, { segment, address, known }: Granted): string {
    const label = known ? known.label : labelOf(segment.naming, this.#parts.replica.expected(mac));
    return hostLabel({ identity: mac, ...(label !== undefined && { label }) }, address, segment);
  }

  #send({ client, listener, ifindex }: PacketContext, type: ReplyType, reply: Message): void {
    const { metrics } = this.#parts;
    const { message, dropped } = fit(withRelayEcho(reply, client.message), client.maxBytes);
    metrics.dropped(dropped);
    const to = destination(client, type, listener.servedPort);
    // Only what stays on the link is bound to the interface it came from; the rest is routed.
    const isOnLink = client.message.giaddr === ANY && ifindex !== 0;
    listener.port.send(encode(message, this.#scratch), to, isOnLink ? { ifindex } : undefined);
    metrics.reply(type);
  }
}

/** The key by which a repeated event is recognised: the transaction or the refusal. Other events are never repeats. */
const KEYS: { readonly [Kind in EventKind]?: (client: Client, because: Reason | undefined) => string | number } = {
  "dhcp.discover": ({ message }) => message.xid,
  "dhcp.offer": ({ message }) => message.xid,
  "dhcp.silence": ({ type }, because) => `${type} ${because}`,
};

/** RFC 5107: the relay may stand between client and server for good. */
function serverIdOf({ client, listener }: PacketContext): IPv4 {
  return client.serverIdOverride ?? listener.serverId;
}
