import { ANY, type IPv4, type Mac, macFrom, Malformed } from "@firstlight/wire";
import {
  clientArchs,
  DEFAULT_MAX_BYTES,
  get,
  getRelay,
  type Message,
  type MessageType,
  OPTIONS,
  type Options,
  type OptionValue,
} from "@firstlight/wire/dhcp4";
import type { RelayInfo } from "@firstlight/ipam";
import type { Stage } from "../lease/stage.ts";
import type { Reason } from "../reasons.ts";

/** What one packet says about its sender, gathered once. */
export interface Client {
  readonly message: Message;
  readonly type: MessageType;
  readonly mac: Mac;
  readonly stage: Stage;
  /** Its firmware wants a URL, not a file name. */
  readonly wantsHttp: boolean;
  /** First architecture it names that the registry knows, `x64-efi`. */
  readonly arch: string | undefined;
  readonly vendorClass: string | undefined;
  readonly clientId: Uint8Array | undefined;
  readonly uuid: Uint8Array | undefined;
  readonly requested: IPv4 | undefined;
  readonly serverId: IPv4 | undefined;
  /** UDP payload it accepts. */
  readonly maxBytes: number;
  /** Where it is attached, as its relay says; absent for a client on our own link. */
  readonly relay: RelayInfo | undefined;
  /** The address that finds its segment. */
  readonly link: IPv4;
  /** Where its relay wants to be answered, if not on port 67: RFC 8357. */
  readonly relayPort: number | undefined;
  /** What its relay wants as option 54: RFC 5107. */
  readonly serverIdOverride: IPv4 | undefined;
  /** Where the packet came from, as the network says. */
  readonly from: { readonly address: IPv4; readonly port: number };
}

/** Not a client's packet, with the reason. */
export interface NotAClient {
  readonly because: Reason;
  readonly mac?: Mac;
}

const IP_AND_UDP_BYTES = 28;

/** The facts of one message. `local` is the address that stands for our own link; it finds the segment without a relay. */
export function clientOf(
  message: Message,
  from: { readonly address: number | bigint; readonly port: number },
  local: IPv4,
): Client | NotAClient {
  if (message.op !== 1) return { because: "not-a-request" };
  if (message.htype !== 1 || message.hlen !== 6) return { because: "hardware-not-ethernet" };
  const mac = macFrom(message.chaddr);
  if (mac === 0 || (message.chaddr[0]! & 1) === 1) return { because: "hardware-address-not-unicast" };
  if (typeof from.address !== "number") return { because: "source-not-ipv4", mac };
  const { options, giaddr, ciaddr } = message;
  for (const name of ["messageType", "requestedAddress", "serverId", "relayAgent"] as const) {
    if (get(options, name) instanceof Malformed) return { because: `option-${OPTIONS[name][0]}-malformed`, mac };
  }
  const type = said(options, "messageType");
  if (type === undefined) return { because: "bootp-not-dhcp", mac };
  // RFC 3046 §2.1: option 82 counts only from a relay; what a client on our link writes there proves nothing.
  const agent = giaddr === ANY ? undefined : said(options, "relayAgent");
  const vendorClass = said(options, "vendorClass");
  const maxMessage = said(options, "maxMessageSize");
  const isOwnAddress = giaddr === ANY && ciaddr !== ANY && from.address === ciaddr;
  return {
    message,
    type,
    mac,
    stage: stageOf(options, vendorClass),
    wantsHttp: vendorClass?.startsWith("HTTPClient") ?? false,
    arch: said(options, "clientArch")?.map((code) => clientArchs.name(code))[0],
    vendorClass,
    clientId: said(options, "clientId"),
    uuid: said(options, "clientUuid"),
    requested: said(options, "requestedAddress"),
    serverId: said(options, "serverId"),
    maxBytes: maxMessage === undefined ? DEFAULT_MAX_BYTES : Math.max(maxMessage - IP_AND_UDP_BYTES, DEFAULT_MAX_BYTES),
    relay: giaddr === ANY ? undefined : relayOf(giaddr, agent),
    // RFC 3527: the relay's link selection; RFC 2131 §4.3.1: giaddr; a renewing client proves its address by using it.
    link: sub(agent, "linkSelection") ?? (giaddr === ANY ? (isOwnAddress ? ciaddr : local) : giaddr),
    relayPort: sub(agent, "relaySourcePort") ? from.port : undefined,
    serverIdOverride: sub(agent, "serverIdOverride"),
    from: { address: from.address, port: from.port },
  };
}

function relayOf(giaddr: IPv4, agent: Options | undefined): RelayInfo {
  const [circuitId, remoteId] = [sub(agent, "circuitId"), sub(agent, "remoteId")];
  return { giaddr, ...(circuitId && { circuitId }), ...(remoteId && { remoteId }) };
}

/** iPXE by its own option 175 or by user class, raw as it sends it or counted as RFC 3004 §4 asks; else firmware; else a system. */
function stageOf(options: Options, vendorClass: string | undefined): Stage {
  if (options.has(OPTIONS.ipxe[0]) || userClasses(options.get(OPTIONS.userClass[0])).includes("iPXE")) return "ipxe";
  const isFirmware = options.has(OPTIONS.clientArch[0]) || /^(PXE|HTTP)Client/.test(vendorClass ?? "");
  return isFirmware ? "rom" : "os";
}

function userClasses(bytes: Uint8Array | undefined): string[] {
  if (!bytes) return [];
  const found = [ascii(bytes)];
  for (let at = 0; at < bytes.length; at += 1 + bytes[at]!)
    found.push(ascii(bytes.subarray(at + 1, at + 1 + bytes[at]!)));
  return found;
}

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 255));

/** An option's value, where a value of another shape is as good as none. */
function said<Name extends keyof typeof OPTIONS>(
  options: Options,
  name: Name,
): OptionValue<typeof OPTIONS, Name> | undefined {
  const value = get(options, name);
  return value instanceof Malformed ? undefined : value;
}

function sub<Name extends Parameters<typeof getRelay>[1]>(agent: Options | undefined, name: Name) {
  const value = agent && getRelay<Name>(agent, name);
  return value instanceof Malformed ? undefined : value;
}
