import { ANY, type IPv4, type Mac, macBytes, macFrom } from "@firstlight/wire";
import { BROADCAST_FLAG, type Message, options } from "@firstlight/wire/dhcp4";
import { seededRandom, seededJitter } from "./seeded-random.ts";
import { type Lease, optionsOf, type Program } from "./program.ts";
import { leaseOf, said, unusable } from "./reply.ts";

/** A DHCP client as firmware has it: RFC 2131 §4.4, figure 5. `wakeAt` is when it wants a `tick`. */
export interface Client {
  readonly is: "selecting" | "requesting" | "renewing" | "rebinding" | "bound";
  readonly program: Program;
  readonly mac: Mac;
  readonly seed: number;
  /** Exchanges begun; each has an xid of its own. */
  readonly exchange: number;
  readonly xid: number;
  readonly startedAt: number;
  /** Packets sent in this state. */
  readonly sent: number;
  readonly wakeAt: number;
  readonly offer?: Message;
  readonly lease?: Lease;
}

export type Event = { readonly is: "message"; readonly message: Message } | { readonly is: "tick" };

export type Effect =
  | { readonly do: "broadcast"; readonly message: Message }
  | { readonly do: "unicast"; readonly message: Message; readonly from: IPv4; readonly to: IPv4 }
  | { readonly do: "bound"; readonly lease: Lease }
  | {
      readonly do: "note";
      readonly step: "offered" | "refused" | "unanswered" | "ignored" | "expired";
      readonly because: string;
    };

/** RFC 2131 §4.1: 4, 8, 16, 32 seconds, each a second more or less. EDK2 and iPXE go on with the last. */
const RETRY_SECONDS = [4, 8, 16, 32];
/** REQUESTs of one offer before the client begins anew. */
const MOST_REQUESTS = 4;
/** After a NAK the RFC asks for INIT at once; a second keeps two that disagree from racing. */
const AFTER_NAK_MS = 1000;

type Step = [Client, Effect[]];

/** Powers the interface on: INIT. */
export function start(program: Program, mac: Mac, seed: number, now: number): Step {
  return discover(
    { is: "selecting", program, mac, seed, exchange: 0, xid: 0, startedAt: now, sent: 0, wakeAt: now },
    now,
  );
}

/** A client that holds a lease and shall keep it: BOUND. */
export function keep(program: Program, mac: Mac, seed: number, lease: Lease): Client {
  const { boundAt, renewAt } = lease;
  return { is: "bound", program, mac, seed, exchange: 0, xid: 0, startedAt: boundAt, sent: 0, wakeAt: renewAt, lease };
}

export function step(client: Client, event: Event, now: number): Step {
  if (event.is === "message") return receive(client, event.message, now);
  return now < client.wakeAt ? [client, []] : TICK[client.is](client, now);
}

const TICK: Readonly<Record<Client["is"], (client: Client, now: number) => Step>> = {
  selecting: (client, now) =>
    client.sent === 0 ? discover(client, now) : withNote(resend(client, now), unanswered(client)),
  requesting: (client, now) =>
    withNote(client.sent < MOST_REQUESTS ? resend(client, now) : restart(client, now), unanswered(client)),
  bound: (client, now) => ask({ ...client, is: "renewing", sent: 0, startedAt: now, ...next(client) }, now),
  renewing: (client, now) => {
    if (now < client.lease!.rebindAt) return ask(client, now);
    return withNote(ask({ ...client, is: "rebinding", sent: 0 }, now), unanswered(client));
  },
  rebinding: (client, now) => {
    if (now < client.lease!.expiresAt) return ask(client, now);
    return withNote(restart(client, now), { do: "note", step: "expired", because: "nobody renewed the lease" });
  },
};

function receive(client: Client, message: Message, now: number): Step {
  if (message.op !== 2) return ignored(client, "not a reply");
  if (message.xid !== client.xid) return ignored(client, "reply of another exchange");
  if (macFrom(message.chaddr) !== client.mac) return ignored(client, "reply to another machine");
  const type = said(message, "messageType");
  if (client.is === "selecting" && type === "OFFER") {
    const because = unusable(client.program, message);
    if (because !== undefined) return ignored(client, because);
    const requesting: Client = { ...client, is: "requesting", offer: message, sent: 0 };
    return resend(requesting, now);
  }
  const asks = client.is === "requesting" || client.is === "renewing" || client.is === "rebinding";
  if (!asks) return ignored(client, `${type ?? "BOOTP reply"} while ${client.is}`);
  const server = said(message, "serverId");
  const chosen = client.offer && said(client.offer, "serverId");
  if (client.is === "requesting" && server !== chosen) return ignored(client, "reply of a server not chosen");
  if (type === "NAK") {
    const because = said(message, "message") ?? "NAK without a reason";
    const waiting = { ...restart(client, now)[0], sent: 0, wakeAt: now + AFTER_NAK_MS };
    return [waiting, [{ do: "note", step: "refused", because }]];
  }
  if (type !== "ACK") return ignored(client, `${type ?? "BOOTP reply"} while ${client.is}`);
  if (message.yiaddr === ANY || (said(message, "leaseTime") ?? 0) === 0)
    return ignored(client, "ACK without address or time");
  // EDK2's DhcpHandleRequest drops such an ACK: two that disagree on the address would both use one
  if (message.yiaddr !== (client.lease?.address ?? client.offer?.yiaddr))
    return ignored(client, "ACK of an address not asked for");
  const lease = leaseOf(message, server ?? client.lease!.serverId, now);
  const { offer: _, ...rest } = client;
  return [{ ...rest, is: "bound", lease, sent: 0, wakeAt: lease.renewAt }, [{ do: "bound", lease }]];
}

const ignored = (client: Client, because: string): Step => [client, [{ do: "note", step: "ignored", because }]];

function restart(client: Client, now: number): Step {
  const { offer: _, lease: _lease, ...rest } = client;
  return discover({ ...rest, is: "selecting", sent: 0 }, now);
}

function discover(client: Client, now: number): Step {
  return resend({ ...client, ...next(client), startedAt: now }, now);
}

/** The next exchange's number and xid. */
function next({ seed, exchange, mac }: Client): Pick<Client, "exchange" | "xid"> {
  return { exchange: exchange + 1, xid: seededRandom(seed ^ (mac >>> 0), exchange) };
}

/** Sends what this state sends, through the relay, and doubles the wait: RFC 2131 §4.1. */
function resend(client: Client, now: number): Step {
  const seconds = RETRY_SECONDS[Math.min(client.sent, RETRY_SECONDS.length - 1)]!;
  const wakeAt = now + Math.round(1000 * (seconds + seededJitter(client.xid, client.sent)));
  const sent: Client = { ...client, sent: client.sent + 1, wakeAt };
  return [sent, [{ do: "broadcast", message: messageOf(client, now) }]];
}

/** RENEWING asks its server, REBINDING everybody; both again after half of what is left, at least a minute (§4.4.5). */
function ask(client: Client, now: number): Step {
  const lease = client.lease!;
  const until = client.is === "renewing" ? lease.rebindAt : lease.expiresAt;
  const wakeAt = Math.min(until, now + Math.max(60_000, (until - now) / 2));
  const message = messageOf(client, now);
  const effect: Effect =
    client.is === "renewing"
      ? { do: "unicast", message, from: lease.address, to: lease.serverId }
      : { do: "broadcast", message };
  return [{ ...client, sent: client.sent + 1, wakeAt }, [effect]];
}

/** RFC 2131 table 5, column by column. */
function messageOf({ is, program, mac, xid, startedAt, offer, lease }: Client, now: number): Message {
  const extends_ = is === "renewing" || is === "rebinding";
  const own = options({
    messageType: is === "selecting" ? "DISCOVER" : "REQUEST",
    requestedAddress: is === "requesting" ? offer!.yiaddr : undefined,
    serverId: is === "requesting" ? said(offer!, "serverId") : undefined,
  });
  const chaddr = new Uint8Array(16);
  chaddr.set(macBytes(mac));
  return {
    op: 1,
    htype: 1,
    hlen: 6,
    hops: 0,
    xid,
    secs: Math.min(0xffff, Math.floor((now - startedAt) / 1000)),
    flags: program.isEdk2 ? BROADCAST_FLAG : 0,
    ciaddr: extends_ ? lease!.address : ANY,
    yiaddr: ANY,
    siaddr: ANY,
    giaddr: ANY,
    chaddr,
    sname: "",
    file: "",
    options: new Map([...own, ...optionsOf(program, mac)]),
  };
}

function unanswered({ is, sent }: Client): Effect {
  const what = is === "selecting" ? "DISCOVER" : "REQUEST";
  return { do: "note", step: "unanswered", because: `no answer to ${what} number ${sent}` };
}

const withNote = ([client, effects]: Step, note: Effect): Step => [client, [note, ...effects]];
