/** How soon a lone packet is answered, on both engines side by side. The figures are printed, never judged: machines are busy. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, listen, type Port } from "../src/index.ts";

const LOOPBACK = 0x7f000001;
const ASKED = 200;

test("a lone packet is answered on either engine, and in what time", async (t) => {
  await using dgram = await listen({ address: LOOPBACK, port: 0, engine: "dgram" });
  await using batch = await listen({ address: LOOPBACK, port: 0, engine: "auto" });
  const ports = [dgram, batch];
  const echoing = ports.map(echo);
  const took = await ask(ports);
  for (const { engine } of ports) t.diagnostic(`${engine}: ${figures(took.get(engine) ?? [])}`);
  assert.equal(took.get("dgram")?.length, ASKED * (batch.engine === "dgram" ? 2 : 1));
  for (const port of ports) await port.close();
  await Promise.all(echoing);
});

async function echo(port: Port): Promise<void> {
  for await (const batch of port) for (const { bytes, from } of batch) port.send(bytes, from);
}

/** One packet at a time, at random moments a millisecond or more apart, the engines in turn. */
async function ask(ports: readonly Port[]): Promise<Map<Engine, number[]>> {
  const client = createSocket("udp4");
  const took = new Map<Engine, number[]>();
  for (let n = 0; n < ASKED; n++) {
    for (const { engine, local } of n % 2 === 0 ? ports : ports.toReversed()) {
      await sleep(1 + Math.random() * 2);
      const answered = once(client, "message");
      const asked = performance.now();
      client.send(new Uint8Array(300), local.port, "127.0.0.1");
      await answered;
      const list = took.get(engine) ?? [];
      list.push(performance.now() - asked);
      took.set(engine, list);
    }
  }
  client.close();
  return took;
}

function figures(tookMs: readonly number[]): string {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${((sorted[Math.floor(share * sorted.length)] ?? 0) * 1000).toFixed(0)} µs`;
  return `p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}`;
}
