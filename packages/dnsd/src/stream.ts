import { createServer, type Server, type Socket } from "node:net";
import { isMalformed } from "@firstlight/wire";
import { MAX_MESSAGE_BYTES } from "@firstlight/wire/dns";
import { Frames } from "./frames.ts";
import type { Reason } from "./reasons.ts";

export interface StreamOptions {
  readonly host: string;
  readonly port: number;
  /** An inherited listening socket to use in place of a new one. */
  readonly descriptor?: number | undefined;
  readonly connections: number;
  readonly perAddress: number;
  readonly idleMs: number;
  /** Length of the reply to a query in `out`; 0 when there is none. */
  readonly respond: (query: Uint8Array, out: Uint8Array) => number;
  /** Called with the reason when a connection is refused or ended by the server. */
  readonly onEnd: (because: Reason) => void;
}

/** DNS over TCP (RFC 7766): many queries on a connection, answered in order, as fast as the client reads. */
export interface Stream extends AsyncDisposable {
  readonly connections: number;
  /** Accepts no new connection and closes the open ones after their pending bytes are sent. */
  drain(): Promise<void>;
}

/** Rejects with the system's error when the kernel refuses the address. */
export async function listenStream(options: StreamOptions): Promise<Stream> {
  const { connections, perAddress, onEnd } = options;
  const open = new Set<Socket>();
  const byAddress = new Map<string, number>();
  const out = new Uint8Array(MAX_MESSAGE_BYTES);

  const refusal = (address: string | undefined): Reason | undefined => {
    if (address === undefined) return "connection-gone";
    if (open.size >= connections) return "connections-limit";
    return (byAddress.get(address) ?? 0) >= perAddress ? "connections-per-address-limit" : undefined;
  };
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.remoteAddress;
    const because = refusal(address);
    if (because !== undefined || address === undefined) {
      socket.on("error", () => {}).resetAndDestroy();
      return onEnd(because!);
    }
    open.add(socket);
    byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    socket.once("close", () => {
      open.delete(socket);
      const left = byAddress.get(address)! - 1;
      if (left > 0) byAddress.set(address, left);
      else byAddress.delete(address);
    });
    converse(socket, out, options);
  });
  const { port, host, descriptor } = options;
  const at = descriptor === undefined ? { port, host } : { fd: descriptor };
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(at, () => resolve()));
  server.removeAllListeners("error").on("error", () => onEnd("accept-failed"));
  return {
    get connections() {
      return open.size;
    },
    drain() {
      for (const socket of open) socket.destroySoon(); // what is written is sent first
      return closed(server);
    },
    [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      return closed(server);
    },
  };
}

/** One connection: it ends when the client ends it, when no whole query has come for too long, or when its bytes are no DNS. */
function converse(socket: Socket, out: Uint8Array, { idleMs, respond, onEnd }: StreamOptions): void {
  const frames = new Frames();
  const end = (because: Reason): void => {
    onEnd(because);
    socket.destroy();
  };
  const idle = setTimeout(() => end("idle-connection"), idleMs);
  const serve = (): void => {
    while (!socket.destroyed && !socket.writableNeedDrain) {
      const query = frames.next();
      if (query === undefined) return void socket.resume();
      if (isMalformed(query)) return end(query.because);
      const length = respond(query, out);
      if (length === 0) return socket.destroySoon(); // counted with its reason
      idle.refresh();
      socket.write(framed(out, length));
    }
    socket.pause(); // the client reads too slowly: read no more from it until it has caught up
  };
  socket.on("data", (chunk: Uint8Array) => {
    frames.push(chunk);
    serve();
  });
  socket.on("drain", serve);
  socket.on("error", () => {}); // the peer is gone: `close` follows
  socket.once("close", () => clearTimeout(idle));
}

function framed(out: Uint8Array, length: number): Uint8Array {
  const frame = new Uint8Array(2 + length);
  frame[0] = length >>> 8;
  frame[1] = length;
  frame.set(out.subarray(0, length), 2);
  return frame;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve())); // also when it is closed already
}
