import { listen, type Port } from "@firstlight/datagram";
import { isMalformed, macBytes, type Mac } from "@firstlight/wire";
import { decode, encode, get, type Message, options, relayAgent } from "@firstlight/wire/dhcp4";

/** What a client asks through the relay. */
export type Asked = Parameters<typeof options>[0];

/** A relay with as many clients as one likes: every reply is heard, with the client's MAC. */
export interface Attachment extends AsyncDisposable {
  ask(mac: Mac, xid: number, asked: Asked): void;
}

const [REQUEST, ETHERNET, MAC_BYTES] = [1, 1, 6];

/** Plugs into the segment of this gateway; `hear` is told within the turn in which a reply has arrived. */
export async function attach(
  gateway: number,
  server: { readonly address: number; readonly port: number },
  hear: (mac: Mac, reply: Message) => void,
): Promise<Attachment> {
  const port = await listen({ address: gateway, port: 0, engine: "dgram" });
  const hearing = deliver(port, hear);
  return {
    ask(mac, xid, asked) {
      const agent = relayAgent({ circuitId: new TextEncoder().encode("swp1"), relaySourcePort: true });
      port.send(encode(request(mac, xid, gateway, { ...asked, relayAgent: agent })), server);
    },
    async [Symbol.asyncDispose]() {
      await port.close();
      await hearing;
    },
  };
}

async function deliver(port: Port, hear: (mac: Mac, reply: Message) => void): Promise<void> {
  for await (const batch of port) {
    for (const { bytes } of batch) {
      const reply = decode(bytes.slice());
      if (!isMalformed(reply)) hear(macOf(reply), reply);
    }
  }
}

function request(mac: Mac, xid: number, giaddr: number, asked: Asked): Message {
  const chaddr = new Uint8Array(16);
  chaddr.set(macBytes(mac));
  const none = { secs: 0, flags: 0, ciaddr: 0, yiaddr: 0, siaddr: 0, sname: "", file: "" };
  const head = { op: REQUEST, htype: ETHERNET, hlen: MAC_BYTES, hops: 1, xid, giaddr, chaddr };
  return { ...none, ...head, options: options(asked) };
}

function macOf({ chaddr }: Message): Mac {
  return chaddr.subarray(0, MAC_BYTES).reduce((value, byte) => value * 256 + byte, 0);
}

/** Message type of a reply. */
export function typeOf(reply: Message): string | undefined {
  const type = get(reply.options, "messageType");
  return isMalformed(type) ? undefined : type;
}

/** Server of an offer. */
export function serverOf(reply: Message): number | undefined {
  const server = get(reply.options, "serverId");
  return isMalformed(server) ? undefined : server;
}
