import { listen, type Port } from "@firstlight/datagram";
import { isMalformed, macBytes, type Mac } from "@firstlight/wire";
import { decode, encode, get, type Message, options, relayAgent } from "@firstlight/wire/dhcp4";

/** Options of a client's packet. */
export type RequestOptions = Parameters<typeof options>[0];

/** A DHCP relay in this process, for any number of clients. */
export interface TestRelay extends AsyncDisposable {
  /** Sends a packet of this client to the server. */
  send(mac: Mac, xid: number, values: RequestOptions): void;
}

const [REQUEST, ETHERNET, MAC_BYTES] = [1, 1, 6];

/** Opens a relay at this gateway address. `onReply` is called for each reply, in the turn of the event loop in which it was received. */
export async function openRelay(
  gateway: number,
  server: { readonly address: number; readonly port: number },
  onReply: (mac: Mac, reply: Message) => void,
): Promise<TestRelay> {
  const port = await listen({ address: gateway, port: 0, engine: "dgram" });
  const receiving = receive(port, onReply);
  return {
    send(mac, xid, values) {
      const agent = relayAgent({ circuitId: new TextEncoder().encode("swp1"), relaySourcePort: true });
      port.send(encode(request(mac, xid, gateway, { ...values, relayAgent: agent })), server);
    },
    async [Symbol.asyncDispose]() {
      await port.close();
      await receiving;
    },
  };
}

async function receive(port: Port, onReply: (mac: Mac, reply: Message) => void): Promise<void> {
  for await (const batch of port) {
    for (const { bytes } of batch) {
      const reply = decode(bytes.slice());
      if (!isMalformed(reply)) onReply(macOf(reply), reply);
    }
  }
}

function request(mac: Mac, xid: number, giaddr: number, values: RequestOptions): Message {
  const chaddr = new Uint8Array(16);
  chaddr.set(macBytes(mac));
  const none = { secs: 0, flags: 0, ciaddr: 0, yiaddr: 0, siaddr: 0, sname: "", file: "" };
  const header = { op: REQUEST, htype: ETHERNET, hlen: MAC_BYTES, hops: 1, xid, giaddr, chaddr };
  return { ...none, ...header, options: options(values) };
}

function macOf({ chaddr }: Message): Mac {
  return chaddr.subarray(0, MAC_BYTES).reduce((value, byte) => value * 256 + byte, 0);
}

/** Message type of a reply; `undefined` where it has none. */
export function typeOf(reply: Message): string | undefined {
  const type = get(reply.options, "messageType");
  return isMalformed(type) ? undefined : type;
}

/** Server identifier (option 54) of a reply. */
export function serverOf(reply: Message): number | undefined {
  const server = get(reply.options, "serverId");
  return isMalformed(server) ? undefined : server;
}
