import assert from "node:assert/strict";
import { type Datagram, listen, type Port } from "@firstlight/datagram";
import { formatIPv4, formatMac, isMalformed, macFrom } from "@firstlight/wire";
import { decode, encode, get, getRelay, type Message, options, pxeVendor } from "@firstlight/wire/dhcp4";

/** A DHCP server as small as one can be: an address a MAC, behind relays of RFC 8357 only. */
export interface DhcpServer extends AsyncDisposable {
  readonly port: Port;
  /** Every request, as it came. */
  readonly requests: { readonly message: Message; readonly from: Datagram["from"] }[];
  /** MAC (text) by leased address (text). */
  readonly leases: Map<string, string>;
  /** What to do with the next requests before answering as usual. */
  readonly moods: ("silent" | "nak")[];
  leaseSeconds: number;
}

export const DOMAIN = "rack.test";

export async function openDhcp(base: () => string): Promise<DhcpServer> {
  const port = await listen({ address: 0x7f000001, port: 0, engine: "dgram" });
  const server = {
    port,
    requests: [] as DhcpServer["requests"],
    leases: new Map<string, string>(),
    moods: [] as DhcpServer["moods"],
    leaseSeconds: 3600,
  };
  const serving = (async () => {
    for await (const batch of port) {
      for (const { bytes, from } of batch) {
        const message = decode(bytes.slice());
        assert.ok(!isMalformed(message));
        server.requests.push({ message, from });
        const mood = server.moods.shift();
        if (mood === "silent") continue;
        const to = message.giaddr === 0 ? from : { address: message.giaddr, port: relayPort(message, from.port) };
        port.send(encode(answer(message, server, base(), mood)), to);
      }
    }
  })();
  return Object.assign(server, {
    [Symbol.asyncDispose]: async () => {
      await port.close();
      await serving;
    },
  });
}

/** RFC 8357 §5.2: to the port it came from when sub-option 19 asks for it, else to 67. */
function relayPort({ options: all }: Message, sourcePort: number): number {
  const agent = get(all, "relayAgent");
  return agent !== undefined && !isMalformed(agent) && getRelay(agent, "relaySourcePort") ? sourcePort : 67;
}

function answer(
  request: Message,
  server: Pick<DhcpServer, "leases" | "leaseSeconds">,
  base: string,
  mood: "nak" | undefined,
): Message {
  const asks = get(request.options, "messageType");
  const agent = get(request.options, "relayAgent");
  const echo = agent === undefined || isMalformed(agent) ? {} : { relayAgent: agent };
  const head = { ...request, op: 2, hops: 0, siaddr: 0x7f000001 };
  const serverId = 0x7f000001;
  if (mood === "nak") {
    const said = { messageType: "NAK", serverId, message: "not this time", ...echo } as const;
    return { ...head, yiaddr: 0, options: options(said) };
  }
  const yiaddr = addressOf(request, server);
  const hostName = formatIPv4(yiaddr).replaceAll(".", "-");
  const said = {
    messageType: asks === "DISCOVER" ? "OFFER" : "ACK",
    serverId,
    leaseTime: server.leaseSeconds,
  } as const;
  return {
    ...head,
    yiaddr,
    options: options({ ...said, hostName, domainName: DOMAIN, ...bootOf(request, base), ...echo }),
  };
}

function addressOf({ giaddr, ciaddr, chaddr }: Message, { leases }: Pick<DhcpServer, "leases">): number {
  if (ciaddr !== 0) return ciaddr;
  const mac = formatMac(macFrom(chaddr));
  for (let address = giaddr + 15; ; address++) {
    const text = formatIPv4(address);
    if (leases.get(text) === mac || !leases.has(text)) {
      leases.set(text, mac);
      return address;
    }
  }
}

/** Architecture and stage decide, as they do for any server. */
function bootOf({ options: all }: Message, base: string): Parameters<typeof options>[0] {
  if (get(all, "userClass") !== undefined) return { bootFile: `${base}/boot.ipxe` };
  const arch = get(all, "clientArch");
  switch (isMalformed(arch) ? undefined : arch?.[0]) {
    case 7:
      return { vendorClass: "PXEClient", vendor: pxeVendor({ discoveryControl: 8 }), bootFile: "snponly.efi" };
    case 16:
    case 19:
      return { vendorClass: "HTTPClient", bootFile: `${base}/snponly.efi` };
    default:
      return {};
  }
}
