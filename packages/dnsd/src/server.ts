import type { Port } from "@firstlight/datagram";
import type { Responder } from "./responder.ts";

/** Answers datagrams until the port is closed. What a batch brings leaves in one call. */
export async function serve(port: Port, responder: Responder): Promise<void> {
  const replies: Uint8Array[] = []; // one per place in a batch: they are the port's until it is flushed
  const isWildcard = port.local.address === 0 || port.local.address === 0n;
  for await (const batch of port) {
    for (let i = 0; i < batch.length; i++) {
      const { bytes, from, to, ifindex } = batch[i]!;
      const out = (replies[i] ??= new Uint8Array(responder.payloadBytes));
      const length = responder.respond(bytes, out, "udp");
      if (length === 0) continue;
      const reply = out.subarray(0, length);
      // Where several addresses are served, the reply comes from the one that was asked (RFC 2181 §4.1).
      if (isWildcard) port.send(reply, from, { address: to, ifindex });
      else port.send(reply, from);
    }
    port.flush();
  }
}
