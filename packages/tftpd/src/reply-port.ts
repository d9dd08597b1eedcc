import { type Datagram, type Endpoint, listen, type Port } from "@firstlight/datagram";
import type { Client } from "./client.ts";

/** The way to one client: everything sent on it comes from one address and port. */
export interface ReplyPort {
  /** `bytes` must not be changed until `flush`. */
  send(bytes: Uint8Array): void;
  /** Sends blocks of a file that is in memory from where they stand, if this port can. */
  sendBlocks?(from: number, count: number): void;
  flush(): void;
  close(): Promise<void>;
}

/** A port of its own for one transfer, as RFC 1350 §4 asks; whatever arrives there goes to `receive`. */
export async function ownReplyPort(
  { endpoint, asked }: Client,
  { local }: Port,
  bufferBytes: number,
  receive: (datagram: Datagram, port: Port) => void,
): Promise<ReplyPort> {
  // The engine dgram: the other one would hold a thread for each transfer.
  const port = await listen({ address: asked ?? local.address, port: 0, engine: "dgram", bufferBytes });
  void pump(port, receive);
  return {
    send: (bytes) => port.send(bytes, endpoint),
    flush: () => port.flush(),
    close: () => port.close(),
  };
}

async function pump(port: Port, receive: (datagram: Datagram, port: Port) => void): Promise<void> {
  for await (const batch of port) {
    for (const datagram of batch) receive(datagram, port);
  }
}

/** The listening port for all transfers: for networks that let no other port through. */
export function sharedReplyPort(client: Client, port: Port): ReplyPort {
  const address = sourceOf(client, port);
  const source = address === undefined ? undefined : { address };
  return {
    send: (bytes) => port.send(bytes, client.endpoint, source),
    flush: () => port.flush(),
    close: async () => {},
  };
}

/** The address that has to be named to answer from the one that was asked: only where there are several. */
export function sourceOf({ asked }: Client, { engine, local }: Port): Endpoint["address"] | undefined {
  return engine === "batch" && (local.address === 0 || local.address === 0n) ? asked : undefined;
}
