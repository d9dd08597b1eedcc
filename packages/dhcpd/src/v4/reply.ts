import type { Domain, PrefixRow, Segment } from "@firstlight/ipam";
import { ANY, type IPv4, last, netmask, network, parseIPv4, parsePrefix, type Prefix } from "@firstlight/wire";
import { type Message, type Options, options, OPTIONS, type Route } from "@firstlight/wire/dhcp4";
import type { Boot } from "./boot.ts";
import { rebindingSeconds, renewalSeconds } from "../lease/times.ts";
import type { Client } from "./client.ts";
import { type ReplyType, replyFlags } from "./delivery.ts";

/** The contents of an OFFER or ACK. */
export interface Grant {
  readonly type: "OFFER" | "ACK";
  /** 0 in the answer to an INFORM. */
  readonly address: IPv4;
  /** Absent in the answer to an INFORM. */
  readonly leaseSeconds: number | undefined;
  readonly segment: Segment;
  readonly prefix: Prefix;
  readonly gateway: IPv4 | undefined;
  readonly domain: Domain | undefined;
  /** The client's own host label. */
  readonly label: string | undefined;
  readonly serverId: IPv4;
  readonly nextServer: IPv4;
  readonly boot: Boot | undefined;
}

/**
 * An OFFER or ACK: RFC 2131 table 3. Options are in order of importance, because a small packet is cut at its end. Option 55 of the
 * client is ignored: firmware lists options that it cannot read and leaves out those that it needs.
 */
export function grant(client: Client, given: Grant): Message {
  const { boot } = given;
  const { first, last } = alike(given);
  const own = options({
    vendorClass: boot?.vendorClass,
    bootFile: boot?.bootFile,
    vendor: boot?.vendor,
    ipxe: boot?.ipxe,
    tftpServerName: boot?.tftpServerName,
    clientUuid: client.uuid,
    clientId: client.clientId, // RFC 6842
    hostName: given.label,
  });
  const all = new Map(options({ messageType: given.type, serverId: given.serverId }));
  for (const part of [first, own, last]) for (const [code, value] of part) all.set(code, value);
  return {
    ...head(client, given.type),
    ciaddr: client.type === "DISCOVER" ? ANY : client.message.ciaddr,
    yiaddr: given.address,
    siaddr: given.nextServer,
    sname: boot?.sname ?? "",
    file: boot?.file ?? "",
    options: all,
  };
}

type Shared = Pick<Grant, "segment" | "prefix" | "gateway" | "domain" | "leaseSeconds">;

/** The options that are the same for every client of a prefix: encoded once while the rows stay the same. */
interface Alike extends Omit<Shared, "segment"> {
  readonly first: Options;
  readonly last: Options;
}

/** By the segment's row object: a changed segment is a new object. */
const written = new WeakMap<Segment, Alike>();

function alike(given: Shared): Alike {
  const known = written.get(given.segment);
  if (
    known?.prefix === given.prefix &&
    known.gateway === given.gateway &&
    known.domain === given.domain &&
    known.leaseSeconds === given.leaseSeconds
  )
    return known;
  const made = writeAlike(given);
  written.set(given.segment, made);
  return made;
}

function writeAlike({ segment, prefix, gateway, domain, leaseSeconds }: Shared): Alike {
  const routers = addresses(segment.options.routers) ?? (gateway === undefined ? undefined : [gateway]);
  const hasBroadcast = prefix.length < 31; // RFC 3021
  return {
    prefix,
    gateway,
    domain,
    leaseSeconds,
    first: options({
      leaseTime: leaseSeconds,
      subnetMask: netmask(prefix.length),
      routers,
      domainNameServers: addresses(segment.options.domainNameServers),
    }),
    last: options({
      domainName: domain?.name,
      renewalTime: leaseSeconds === undefined ? undefined : renewalSeconds(segment, leaseSeconds),
      rebindingTime: leaseSeconds === undefined ? undefined : rebindingSeconds(leaseSeconds),
      broadcastAddress: hasBroadcast ? (last(prefix) as IPv4) : undefined,
      interfaceMtu: segment.mtu,
      ntpServers: addresses(segment.options.ntpServers),
      classlessRoutes: routesOf(segment, routers?.[0]),
      domainSearch: segment.options.domainSearch ?? (domain && [domain.name]),
    }),
  };
}

/** A NAK: RFC 2131 table 3, with the reason and the copied fields only. */
export function refusal(client: Client, serverId: IPv4, sentence: string): Message {
  return {
    ...head(client, "NAK"),
    options: options({ messageType: "NAK", serverId, message: sentence, clientId: client.clientId }),
  };
}

/** The fields that every reply copies from its request: RFC 2131 table 3. */
function head(client: Client, type: ReplyType): Message {
  const { htype, hlen, xid, giaddr, chaddr } = client.message;
  return {
    op: 2,
    htype,
    hlen,
    hops: 0,
    xid,
    secs: 0,
    flags: replyFlags(client, type),
    ciaddr: ANY,
    yiaddr: ANY,
    siaddr: ANY,
    giaddr,
    chaddr,
    sname: "",
    file: "",
    options: new Map(),
  };
}

/** Option 82 unchanged (RFC 3046 §2.2). */
export function withRelayEcho(reply: Message, request: Message): Message {
  const code = OPTIONS.relayAgent[0];
  const bytes = request.options.get(code);
  return bytes === undefined ? reply : { ...reply, options: new Map([...reply.options, [code, bytes]]) };
}

/** RFC 3442: a client that reads option 121 ignores option 3, so option 121 includes the default route. */
function routesOf(segment: Segment, router: IPv4 | undefined): readonly Route[] | undefined {
  const routes = (segment.options.staticRoutes ?? []).flatMap(({ to, via }) => {
    const [prefix, gateway] = [parsePrefix(to), parseIPv4(via)];
    if (!("address" in prefix) || typeof prefix.address !== "number" || typeof gateway !== "number") return [];
    return [{ address: network(prefix.address, prefix.length) as IPv4, length: prefix.length, router: gateway }];
  });
  if (routes.length === 0) return undefined;
  const hasDefault = router === undefined || routes.some(({ length }) => length === 0);
  return hasDefault ? routes : [...routes, { address: ANY, length: 0, router }];
}

function addresses(texts: readonly string[] | undefined): readonly IPv4[] | undefined {
  const list = (texts ?? []).map(parseIPv4).filter((address) => typeof address === "number");
  return list.length === 0 ? undefined : list;
}

/** The IPv4 gateway of a prefix, if it has one. */
export function gatewayOf({ gateway }: PrefixRow): IPv4 | undefined {
  return typeof gateway === "number" ? gateway : undefined;
}
