import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { listen, type Port } from "../src/index.ts";

const LOOPBACK = 0x7f000001;
const WINDOW = 64;
const LOT = 50_000;
/** Lots after the first. The long form, by hand: `SOAK_LOTS=10000` is half a billion datagrams of each kind, hours. */
const MORE = Number(process.env["SOAK_LOTS"] ?? 3);
const skip = process.platform === "linux" ? false : "engine batch needs Linux, and so does /proc";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What a process holds once its garbage is gone. */
function held() {
  collect();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  return { heapUsed, arrayBuffers, rss, files: readdirSync("/proc/self/fd").length };
}

/** Sends `count` datagrams, so many under way at a time, and takes each echo. */
async function ask(client: Port, server: Port, count: number): Promise<void> {
  const bytes = new Uint8Array(300);
  let [sent, got] = [0, 0];
  const fill = (): void => {
    for (; sent < count && sent - got < WINDOW; sent++) client.send(bytes, server.local);
  };
  fill();
  for await (const batch of client) {
    got += batch.length;
    if (got >= count) return;
    fill();
  }
}

async function echo(port: Port): Promise<void> {
  for await (const batch of port) for (const { bytes, from } of batch) port.send(bytes, from);
}

const WAYS: Readonly<Record<string, (port: Port) => Promise<void>>> = {
  "one batch after another": echo,
  "answered in place": (port) =>
    port.serve((query, length, reply) => {
      reply.set(query.subarray(0, length));
      return length;
    }, 300),
};

/** Bytes that may have come and not gone yet: node gives each datagram a buffer of its own, and frees it when it likes. */
const SPARE = {
  dgram: { buffers: 16 << 20, rss: 96 << 20 },
  batch: { buffers: 4096, rss: 24 << 20 },
} as const;

for (const [engine, spare] of Object.entries(SPARE) as ["dgram" | "batch", { buffers: number; rss: number }][])
  for (const [way, serve] of Object.entries(WAYS))
    test(
      `${engine}: ${MORE} lots of datagrams ${way} leave memory and descriptors as the first left them`,
      { skip },
      async () => {
        await using server = await listen({ address: LOOPBACK, port: 0, engine });
        await using client = await listen({ address: LOOPBACK, port: 0, engine });
        const serving = serve(server);
        await ask(client, server, LOT);
        const before = held();
        for (let lot = 0; lot < MORE; lot++) await ask(client, server, LOT);
        const after = held();
        assert.equal(server.counters.received, (MORE + 1) * LOT);
        assert.equal(server.counters.sent, (MORE + 1) * LOT);
        assert.equal(after.files, before.files);
        assert.ok(
          after.arrayBuffers <= before.arrayBuffers + spare.buffers,
          `${before.arrayBuffers} → ${after.arrayBuffers} bytes`,
        );
        assert.ok(after.heapUsed < before.heapUsed + (2 << 20), `heap ${before.heapUsed} → ${after.heapUsed} bytes`);
        assert.ok(after.rss < before.rss + spare.rss, `rss ${before.rss} → ${after.rss} bytes`); // V8 keeps pages it has had
        await Promise.all([server.close(), client.close()]);
        await serving;
      },
    );
