import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { type Address, formatAddress, parseAddress } from "@firstlight/wire";
import { inheritedSocket } from "./inherited.ts";
import type { Answer, Counters, Datagram, Endpoint, Listen, Port } from "./port.ts";
import { serveBatches } from "./serve.ts";
import { Unavailable } from "./unavailable.ts";

/** Datagrams kept for a consumer that is late, and sends the kernel has not taken yet; beyond that they are counted. */
const QUEUE = 4096;

/** The portable engine. It cannot tell local addresses, bind a device, or choose a source. */
export async function listenDgram(options: Listen): Promise<Port> {
  if (options.device !== undefined) throw new Unavailable("engine dgram cannot bind a device");
  const { share = false, bufferBytes = 4 << 20 } = options;
  const descriptor = inheritedSocket(options);
  const is6 = typeof options.address === "bigint";
  const socket = createSocket({
    type: is6 ? "udp6" : "udp4",
    ipv6Only: is6,
    reusePort: share && descriptor === undefined,
    lookup: (address, _options, done) => done(null, address, is6 ? 6 : 4), // always an address: answered in this turn
  });
  try {
    const bound = once(socket, "listening"); // first: with a lookup that answers at once, bind() emits before it returns
    if (descriptor !== undefined) socket.bind({ fd: descriptor, exclusive: true });
    else socket.bind({ port: options.port, address: formatAddress(options.address), exclusive: true });
    await bound;
  } catch (fault) {
    socket.close();
    throw fault;
  }
  if (options.broadcast === true) socket.setBroadcast(true);
  socket.setRecvBufferSize(bufferBytes);
  socket.setSendBufferSize(bufferBytes);
  return new DgramPort(socket, options, descriptor !== undefined);
}

class DgramPort implements Port {
  readonly engine = "dgram";
  readonly local: Endpoint;
  readonly isInherited: boolean;
  readonly counters: Counters = { received: 0, sent: 0, overflowed: 0, truncated: 0, unsent: 0 };
  readonly #socket: Socket;
  readonly #batch: number;
  readonly #maxBytes: number;
  #queue: Datagram[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(socket: Socket, { batch = 64, maxBytes = 2048 }: Listen, isInherited: boolean) {
    this.#socket = socket;
    this.isInherited = isInherited;
    this.#batch = batch;
    this.#maxBytes = maxBytes;
    const { address, port } = socket.address();
    this.local = { address: addressOf(address), port };
    socket.on("error", () => {}); // a socket error after bind concerns one datagram: counted where it was sent
    socket.on("message", (bytes, { address, port }) => this.#receive(bytes, { address: addressOf(address), port }));
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    if (bytes.length > this.#maxBytes) this.counters.truncated++;
    else if (this.#queue.length >= QUEUE) this.counters.overflowed++;
    else {
      this.counters.received++;
      if (this.#queue.push({ bytes, from, to: 0, ifindex: 0 }) === 1 && this.#wake) setImmediate(this.#wake); // all of this turn
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Datagram[]> {
    while (!this.#closed) {
      if (this.#queue.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
      if (this.#queue.length > 0 && !this.#closed) yield this.#queue.splice(0, this.#batch);
    }
  }

  serve(answer: Answer, replyBytes: number): Promise<void> {
    return serveBatches(this, answer, replyBytes);
  }

  send(bytes: Uint8Array, to: Endpoint): void {
    if (this.#closed || this.#socket.getSendQueueCount() >= QUEUE || typeof to.address !== typeof this.local.address) {
      this.counters.unsent++;
      return;
    }
    try {
      this.#socket.send(Uint8Array.from(bytes), to.port, formatAddress(to.address), (fault) => {
        if (fault) this.counters.unsent++;
        else this.counters.sent++;
      });
    } catch {
      this.counters.unsent++; // port 0 and the like, which node refuses before the kernel can
    }
  }

  flush(): void {} // libuv has tried already

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    for (let turns = 0; this.#socket.getSendQueueCount() > 0 && turns < 100; turns++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The address that node prints, without the zone of a link-local one. */
function addressOf(text: string): Address {
  const zone = text.indexOf("%");
  return parseAddress(zone < 0 ? text : text.slice(0, zone)) as Address; // node prints only valid addresses
}
