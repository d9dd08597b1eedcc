import type { Bind, Candidate, GiveBack, Lease, PrefixRow, RolePool, Segment, Term } from "@firstlight/ipam";
import { ANY, contains, formatAddress, type IPv4 } from "@firstlight/wire";
import type { Client } from "./client.ts";
import type { Reason } from "../reasons.ts";

/** The answers of the IPAM that one packet needs. */
export interface View {
  readonly segment: Segment | undefined;
  readonly prefixes: readonly PrefixRow[];
  /** The current or last lease of the interface on the segment. */
  readonly own: Lease | undefined;
  /** The lease of the address that the client names. */
  readonly named: Lease | undefined;
  /** The address to offer; called only if it is needed. */
  readonly candidate: () => Candidate;
  /** The lease time for an address of this prefix, and why the client should start again, if it should. */
  readonly term: (prefix: PrefixRow, isRenewing: boolean) => Term;
  /** The database was queried, so a missing row is really missing. */
  readonly isAsked: boolean;
}

export type Effect =
  | {
      readonly do: "offer";
      readonly segment: Segment;
      readonly address: IPv4;
      readonly prefix: PrefixRow;
      readonly leaseSeconds: number;
    }
  | { readonly do: "commit"; readonly segment: Segment; readonly prefix: PrefixRow; readonly bind: Bind }
  | { readonly do: "giveBack"; readonly giveBack: GiveBack }
  | { readonly do: "inform"; readonly segment: Segment; readonly prefix: PrefixRow }
  | { readonly do: "nak"; readonly because: Reason }
  /** The replica may lag: ask the database about this client, then decide again. */
  | { readonly do: "ask"; readonly because: Reason }
  | { readonly do: "ignore"; readonly because: Reason; readonly detail?: Readonly<Record<string, string>> };

const ignore = (because: Reason): Effect => ({ do: "ignore", because });
const nak = (because: Reason): Effect => ({ do: "nak", because });

/** What a server does with one packet by RFC 2131 §4.3. `isOurs` tells whether an address stands for this server. */
export function decide(client: Client, view: View, isOurs: (serverId: IPv4) => boolean): Effect {
  switch (client.type) {
    case "DISCOVER":
      return discover(client, view);
    case "REQUEST":
      return request(client, view, isOurs);
    case "RELEASE":
    case "DECLINE":
      return giveBack(client, view, isOurs);
    case "INFORM":
      return inform(client, view);
    default:
      return ignore("not-for-a-server");
  }
}

/** The address a packet is about: RFC 2131 table 4 and §4.4.4, §4.4.6. */
export function namedAddress({ type, requested, message: { ciaddr } }: Client): IPv4 | undefined {
  if (type === "RELEASE" || type === "INFORM") return ciaddr === ANY ? undefined : ciaddr;
  if (type === "REQUEST" && requested === undefined) return ciaddr === ANY ? undefined : ciaddr;
  return requested;
}

/** §4.3.1. Nothing is written: the address is a function of the identity and the IPAM. */
function discover(_client: Client, view: View): Effect {
  const { segment } = view;
  if (!segment) return ignore("no-segment");
  const candidate = view.candidate();
  if (candidate.is === "none") {
    const { pools } = candidate;
    const { because } = candidate;
    if (!view.isAsked) return { do: "ask", because };
    return pools ? { do: "ignore", because, detail: { pools: pools.map(rangeOf).join(" ") } } : ignore(because);
  }
  if (typeof candidate.address !== "number") return ignore("no-ipv4-candidate");
  const { address, prefix } = candidate;
  return { do: "offer", segment, address, prefix, leaseSeconds: view.term(prefix, true).leaseSeconds };
}

/** §4.3.2, by the state the client is in: table 4. */
function request(client: Client, view: View, isOurs: (serverId: IPv4) => boolean): Effect {
  const isSelecting = client.serverId !== undefined;
  if (isSelecting && !isOurs(client.serverId)) return ignore("request-names-another-server");
  const address = namedAddress(client);
  if (address === undefined) return ignore("request-names-no-address");
  const { segment } = view;
  if (!segment) return ignore("no-segment");
  const prefix = prefixOf(view, address);
  if (!prefix) return nak("address-off-segment"); // "on the wrong network": NAK, in every state
  const isRenewing = isSelecting || client.message.ciaddr !== ANY;
  const { leaseSeconds, because } = view.term(prefix, isRenewing);
  const commit: Effect = { do: "commit", segment, prefix, bind: bindOf(client, segment, address, leaseSeconds) };
  if (isSelecting) return commit; // the database's constraint decides
  // INIT-REBOOT, RENEWING, REBINDING: only an address that is on record.
  if (holds(client, segment, view.named)) return because === undefined ? commit : nak(because);
  if (view.own?.state === "bound" && view.own.address !== address) return nak("interface-holds-another-address");
  if (view.named?.state === "bound") return nak("address-bound-elsewhere");
  if (!view.isAsked) return { do: "ask", because: "client-unknown" };
  return ignore("client-unknown"); // "MUST remain silent": another server may know it
}

/** §4.3.3 and §4.3.4. */
function giveBack(client: Client, view: View, isOurs: (serverId: IPv4) => boolean): Effect {
  if (client.serverId !== undefined && !isOurs(client.serverId)) return ignore("request-names-another-server");
  const address = namedAddress(client);
  if (address === undefined) return ignore("release-names-no-address");
  const { segment } = view;
  if (!segment) return ignore("no-segment");
  if (holds(client, segment, view.named)) {
    const { mac } = client;
    const what = client.type === "RELEASE" ? "release" : "decline";
    return { do: "giveBack", giveBack: { do: what, segment: segment.id, identity: mac, address } };
  }
  const because = "release-of-foreign-address";
  return view.isAsked ? ignore(because) : { do: "ask", because };
}

/** §4.3.5: parameters for an address it already has; no lease, no check of the binding. */
function inform(client: Client, view: View): Effect {
  const address = namedAddress(client);
  if (address === undefined) return ignore("inform-without-address");
  const { segment } = view;
  if (!segment) return ignore("no-segment");
  const prefix = prefixOf(view, address);
  return prefix ? { do: "inform", segment, prefix } : ignore("inform-address-off-segment");
}

function holds(client: Client, segment: Segment, lease: Lease | undefined): boolean {
  return (
    lease !== undefined && lease.identity === client.mac && lease.segment === segment.id && lease.state !== "declined"
  );
}

function prefixOf(view: View, address: IPv4): PrefixRow | undefined {
  return view.prefixes.find(({ prefix }) => contains(prefix, address));
}

function rangeOf({ first, last }: RolePool): string {
  return `${formatAddress(first)}-${formatAddress(last)}`;
}

function bindOf({ mac, clientId, uuid, relay }: Client, segment: Segment, address: IPv4, leaseSeconds: number): Bind {
  return {
    do: "bind",
    segment: segment.id,
    identity: mac,
    address,
    leaseSeconds,
    ...(clientId && { clientId }),
    ...(uuid && { uuid }),
    ...(relay && { relay }),
  };
}
