/** How soon a lone packet is answered, beside plain `node:dgram`. The figures are printed, never judged: machines are busy. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import test from "node:test";
import { Worker } from "node:worker_threads";
import { listen, type Port } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "the thread that asks is Linux's";
const LOOPBACK = 0x7f000001;
const ROUNDS = 150;

test("both engines answer a lone packet, in place and by iteration", { skip }, async (t) => {
  const plain = createSocket("udp4").on("message", (bytes, from) => plain.send(bytes, from.port, from.address));
  plain.bind(0, "127.0.0.1");
  await once(plain, "listening");
  const open = (engine: "dgram" | "batch"): Promise<Port> => listen({ address: LOOPBACK, port: 0, engine });
  const ports = [await open("dgram"), await open("batch"), await open("batch")] as const;
  const serving = [echo(ports[0]), echo(ports[1]), ports[2].serve(same, 600)];
  const names = ["plain node:dgram", "dgram", "batch", "batch, in place"];
  const targets = [{ address: LOOPBACK, port: plain.address().port }, ...ports.map(({ local }) => local)];
  const asker = new Worker(new URL("./asker.ts", import.meta.url), {
    workerData: { targets, rounds: ROUNDS, bytes: 300 },
  });
  const gone = once(asker, "exit"); // it may come in one turn with the message
  const [took] = (await once(asker, "message")) as [number[][]];
  const medians = took.map((ms) => at(ms, 0.5));
  for (const [i, name] of names.entries()) {
    const figures = [0.25, 0.5, 0.9].map((share) => `p${share * 100} ${at(took[i]!, share).toFixed(0)} µs`).join(", ");
    t.diagnostic(`${name}: ${figures}; plain/this ${(medians[0]! / medians[i]!).toFixed(2)}`);
    assert.equal(took[i]!.length, ROUNDS);
  }
  await gone;
  plain.close();
  await Promise.all(ports.map((port) => port.close()));
  await Promise.all(serving);
});

async function echo(port: Port): Promise<void> {
  for await (const batch of port) for (const { bytes, from } of batch) port.send(bytes, from);
}

function same(query: Uint8Array, length: number, reply: Uint8Array): number {
  reply.set(query.subarray(0, length));
  return length;
}

/** Microseconds that this share of them did not exceed. */
function at(tookMs: readonly number[], share: number): number {
  return tookMs.toSorted((a, b) => a - b)[Math.floor(share * tookMs.length)]! * 1000;
}
