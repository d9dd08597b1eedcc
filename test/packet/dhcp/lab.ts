import assert from "node:assert/strict";
import { listen, type Port } from "@firstlight/datagram";
import { FakeApi, FakeReporter, MemoryLeases, domain, prefix, segment, siteOf } from "@firstlight/kit";
import type { Row } from "@firstlight/ipam";
import { splitEndpoint } from "@firstlight/service";
import { encode, get, type Message, options, relayAgent } from "@firstlight/wire/dhcp4";
import { Registry } from "prom-client";
import { dhcpdSchema, startDhcpd } from "@firstlight/dhcpd";
import { ip, packet, read } from "@firstlight/kit/dhcp4";

export const ROWS: readonly Row[] = [domain(), segment(), prefix()];
/** The relay of the lab's segment binds the gateway's address. */
const GATEWAY = ip("127.64.0.1");

/** dhcpd on a loopback socket over a real replica, and a relay of the lab's segment in front of it. */
export async function lab(rows: readonly Row[] = ROWS, config: Record<string, unknown> = {}) {
  await using parts = new AsyncDisposableStack();
  const site = parts.use(await siteOf(rows));
  const leases = new MemoryLeases(site, rows);
  const warnings: string[] = [];
  const [api, reporter, metrics] = [new FakeApi(), new FakeReporter(), new Registry()];
  const running = await startDhcpd(
    {
      config: dhcpdSchema.parse({ listen: [{ address: "127.0.0.1:0" }], engine: "dgram", ...config }),
      log: { debug() {}, info() {}, warn: (_: unknown, text?: string) => void warnings.push(text ?? "") },
      metrics,
      clock: site.clock,
    },
    { store: leases, replica: site.replica, api, reporter, ready: () => site.following.ready() },
  );
  parts.defer(() => running.stop());
  const server = { address: ip("127.0.0.1"), port: splitEndpoint(running.endpoints.udp!).port };
  const relay = parts.use(await openRelay(server));
  const owned = parts.move();
  return {
    site,
    leases,
    api,
    reporter,
    metrics,
    warnings,
    running,
    relay,
    server,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A relay: sends what it is given with its giaddr and option 82, and hands out replies in order. */
export async function openRelay(server: { address: number; port: number }) {
  const port: Port = await listen({ address: GATEWAY, port: 0, engine: "dgram" });
  const waiting: ((message: Message) => void)[] = [];
  const received: Message[] = [];
  const pump = (async () => {
    for await (const batch of port) {
      for (const { bytes } of batch) {
        const message = read(bytes.slice());
        const next = waiting.shift();
        if (next) next(message);
        else received.push(message);
      }
    }
  })();
  const agent = relayAgent({ circuitId: Uint8Array.of(0xff, 0, 1), relaySourcePort: true });
  return {
    port,
    /** Replies nobody waited for. */
    received,
    send(message: Message): void {
      const relayed = new Map([...message.options, ...options({ relayAgent: agent })]);
      port.send(encode({ ...message, giaddr: GATEWAY, hops: 1, options: relayed }), server);
      port.flush();
    },
    next(): Promise<Message> {
      const message = received.shift();
      return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
    },
    /** Sends and waits for the answer. */
    ask(message: Message): Promise<Message> {
      this.send(message);
      return this.next();
    },
    async [Symbol.asyncDispose]() {
      await port.close();
      await pump;
    },
  };
}

export type Relay = Awaited<ReturnType<typeof openRelay>>;

/** DISCOVER and OFFER, then REQUEST and its answer. */
export async function dora(relay: Relay, mac: string): Promise<{ offer: Message; answer: Message }> {
  const offer = await relay.ask(packet({ messageType: "DISCOVER" }, { mac }));
  assert.equal(get(offer.options, "messageType"), "OFFER");
  return { offer, answer: await relay.ask(selecting(offer, mac)) };
}

export function selecting(offer: Message, mac: string): Message {
  const serverId = get(offer.options, "serverId");
  assert.ok(typeof serverId === "number");
  return packet({ messageType: "REQUEST", serverId, requestedAddress: offer.yiaddr }, { mac });
}
