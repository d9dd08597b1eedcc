import type { Answer, Port } from "./port.ts";

/** `Port.serve` by way of its batches, for an engine that has no memory of the kernel's to answer in. */
export async function serveBatches(port: Port, answer: Answer, replyBytes: number): Promise<void> {
  const replies: Uint8Array[] = []; // one per place in a batch: they are the port's until it is flushed
  const isWildcard = port.local.address === 0 || port.local.address === 0n;
  for await (const batch of port) {
    for (let i = 0; i < batch.length; i++) {
      const { bytes, from, to, ifindex } = batch[i]!;
      const out = (replies[i] ??= new Uint8Array(replyBytes));
      const length = answer(bytes, bytes.length, out);
      if (length === 0) continue;
      const reply = out.subarray(0, length);
      if (isWildcard) port.send(reply, from, { address: to, ifindex });
      else port.send(reply, from);
    }
    port.flush();
  }
}
