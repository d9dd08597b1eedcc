import { connect } from "node:net";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { Row } from "@firstlight/ipam";
import { domain, iface, lease, name, prefix, segment, siteOf } from "@firstlight/kit";
import { splitEndpoint } from "@firstlight/service";
import { formatAddress, isMalformed } from "@firstlight/wire";
import { type Ask, type Data, decode, encodeQuery, type Message, TYPES } from "@firstlight/wire/dns";
import { Registry } from "prom-client";
import { dnsdSchema } from "../src/config.ts";
import { startDnsd } from "../src/start.ts";

/** One rack: `127-64-0-12.lab.test` is 127.64.0.12 and back; `www` is declared. */
export const ROWS: readonly Row[] = [domain(), segment(), prefix(), iface(), lease(), name()];

/** dnsd on loopback over a real replica of rows in memory. */
export async function lab(rows: readonly Row[] = ROWS, config: Record<string, unknown> = {}) {
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
    /** Resolves once the metrics say so. */
    counted: (text: string) => until(async () => (await metrics.metrics()).includes(text)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

let ids = 0;

/** A query's bytes: what is not said is A of the lab's machine. */
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
    return read(bytes);
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
      replies.push(read(held.subarray(2, 2 + held.readUInt16BE(0))));
      held = held.subarray(2 + held.readUInt16BE(0));
    }
    if (replies.length === queries.length) break; // leaving the loop closes the socket
  }
  return replies;
}

export function framed(query: Uint8Array): Uint8Array {
  return Uint8Array.from([query.length >>> 8, query.length & 255, ...query]);
}

export function read(bytes: Uint8Array): Message {
  const message = decode(Uint8Array.from(bytes));
  if (isMalformed(message)) throw new TypeError(`our reply is malformed: ${message.because}`);
  return message;
}

/** Answers as `A 127.64.0.12`, in order. */
export function said({ answers }: Message): string[] {
  return answers.map(({ type, data }) => `${TYPES.name(type)} ${text(data)}`);
}

function text(data: Data): string {
  if (data.is === "A" || data.is === "AAAA") return formatAddress(data.address);
  return Object.entries(data)
    .flatMap(([key, value]) => (key === "is" ? [] : [String(value)]))
    .join(" ");
}

/** Looks until it is so; the test's own time limit is the only clock. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
