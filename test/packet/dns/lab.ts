import { connect } from "node:net";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { dnsdSchema, startDnsd } from "@firstlight/dnsd";
import type { Row } from "@firstlight/ipam";
import { framed, RACK_ROWS, readMessage, siteOf } from "@firstlight/kit";
import { splitEndpoint } from "@firstlight/service";
import { isMalformed } from "@firstlight/wire";
import { type Ask, encodeQuery, type Message } from "@firstlight/wire/dns";
import { Registry } from "prom-client";

/** dnsd on loopback over a real replica of rows in memory. */
export async function lab(rows: readonly Row[] = RACK_ROWS, config: Record<string, unknown> = {}) {
  await using parts = new AsyncDisposableStack();
  const site = parts.use(await siteOf(rows));
  const metrics = new Registry();
  const running = await startDnsd(
    {
      config: dnsdSchema.parse({ listen: ["127.0.0.1:0"], engine: "dgram", ...config }),
      log: { info() {}, warn() {} },
      metrics,
    },
    { replica: site.replica, ready: () => site.following.ready() },
  );
  parts.defer(() => running.stop());
  const { port } = splitEndpoint(running.endpoints["udp"]!);
  const owned = parts.move();
  return {
    site,
    metrics,
    running,
    port,
    udp: (ask: Partial<Ask>) => overUdp(port, question(ask)),
    tcp: (...asks: Partial<Ask>[]) => overTcp(port, ...asks.map(question)),
    /** Resolves once the metrics contain this text. */
    counted: (text: string) => until(async () => (await metrics.metrics()).includes(text)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

let ids = 0;

/** A query's bytes: by default for A of the machine of the rack. */
export function question(ask: Partial<Ask> = {}): Uint8Array {
  const bytes = encodeQuery({ id: ++ids & 0xffff, name: "127-64-0-12.lab.test", type: "A", ...ask });
  if (isMalformed(bytes)) throw new TypeError(bytes.because);
  return bytes;
}

/** The reply to this datagram. */
export async function overUdp(port: number, query: Uint8Array): Promise<Message> {
  const socket = createSocket("udp4");
  try {
    socket.send(query, port, "127.0.0.1");
    const [bytes] = (await once(socket, "message")) as [Uint8Array];
    return readMessage(bytes);
  } finally {
    socket.close();
  }
}

/** The replies to queries sent at once on one connection. */
export async function overTcp(port: number, ...queries: readonly Uint8Array[]): Promise<Message[]> {
  const socket = connect(port, "127.0.0.1");
  socket.write(Buffer.concat(queries.map(framed)));
  const replies: Message[] = [];
  let held = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      replies.push(readMessage(held.subarray(2, 2 + held.readUInt16BE(0))));
      held = held.subarray(2 + held.readUInt16BE(0));
    }
    if (replies.length === queries.length) break; // leaving the loop closes the socket
  }
  return replies;
}

/** Waits until the condition holds; the only bound is the time limit of the test. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}
