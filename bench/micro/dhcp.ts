import { RateLimit } from "@firstlight/service";
import { domain, prefix, segment, siteOf } from "@firstlight/kit";
import { type IPv4, isMalformed, type Mac } from "@firstlight/wire";
import { decode, encode, fit, type Message, options, relayAgent } from "@firstlight/wire/dhcp4";
import { bootOf } from "../../packages/dhcpd/src/v4/boot.ts";
import { clientOf } from "../../packages/dhcpd/src/v4/client.ts";
import { decide } from "../../packages/dhcpd/src/v4/decide.ts";
import { destination } from "../../packages/dhcpd/src/v4/delivery.ts";
import { gatewayOf, grant, withRelayEcho } from "../../packages/dhcpd/src/v4/reply.ts";
import { viewOf } from "../../packages/dhcpd/src/v4/view.ts";
import type { Case } from "./case.ts";

const GATEWAY = 0x0a00_0001 as IPv4;
const SOURCE = { nextServer: GATEWAY, bootUrl: "http://10.0.0.1:8080", files: {} };
const TRACE = "0af7651916cd43dd8448eb211c80319c";

/** The DISCOVER of an unknown UEFI client behind a relay: decode, look up, decide, encode the OFFER. No socket. */
export const discover: Case = {
  name: "dhcp DISCOVER to OFFER",
  async open() {
    const rows = [domain(), segment(), prefix({ prefix: "10.0.0.0/16", gateway: "10.0.0.1" })];
    const site = await siteOf(rows);
    const perClient = new RateLimit<Mac>({ perSecond: 1e9, burst: 1e9 }, 65_536);
    const bytes = encode(packet());
    const out = new Uint8Array(1500);
    let mac = 0;
    return {
      run(times) {
        for (let n = 0; n < times; n++) {
          mac = (mac + 1) & 0xffff;
          bytes[32] = mac >> 8; // chaddr (RFC 2131 §2)
          bytes[33] = mac & 255;
          if (offerBytes(bytes, site, perClient, out) < 240) throw new Error("no OFFER");
        }
      },
      close: () => site[Symbol.asyncDispose](),
    };
  },
};

type Site = Awaited<ReturnType<typeof siteOf>>;

function offerBytes(bytes: Uint8Array, { replica, clock }: Site, perClient: RateLimit<Mac>, out: Uint8Array): number {
  const message = decode(bytes.slice());
  if (isMalformed(message)) throw new Error(message.because);
  const client = clientOf(message, { address: GATEWAY, port: 67 }, GATEWAY);
  if ("because" in client || !perClient.take(client.mac, clock.now())) throw new Error("not admitted");
  const view = viewOf(client, replica, () => false, undefined);
  const effect = decide(client, view, () => true);
  if (effect.do !== "offer") throw new Error(effect.do);
  const { segment: on, prefix: within, address } = effect;
  const reply = grant(client, {
    type: "OFFER",
    segment: on,
    prefix: within.prefix,
    gateway: gatewayOf(within),
    domain: replica.domain(on.domain),
    address,
    leaseSeconds: on.leaseSeconds,
    label: "10-0-0-1",
    serverId: GATEWAY,
    nextServer: GATEWAY,
    boot: bootOf(client, SOURCE, TRACE),
  });
  const { message: fitted } = fit(withRelayEcho(reply, message), client.maxBytes);
  return encode(fitted, out).length + (destination(client, "OFFER", 67).port === 67 ? 0 : -1000);
}

function packet(): Message {
  const head = { op: 1, htype: 1, hlen: 6, hops: 1, xid: 0x1234, secs: 0, flags: 0 } as const;
  const chaddr = new Uint8Array(16);
  chaddr[0] = 2;
  return {
    ...head,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: GATEWAY,
    chaddr,
    sname: "",
    file: "",
    options: options({
      messageType: "DISCOVER",
      maxMessageSize: 1472,
      vendorClass: "PXEClient:Arch:00007:UNDI:003001",
      clientArch: [7],
      relayAgent: relayAgent({ circuitId: Uint8Array.of(0xff, 0, 1) }),
    }),
  };
}
