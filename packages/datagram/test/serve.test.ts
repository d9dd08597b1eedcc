import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { array, asyncProperty, assert as law, uint8Array } from "fast-check";
import { type Answer, type Endpoint, type Engine, listen, type Port } from "../src/index.ts";

const LOOPBACK = 0x7f000001;
const engines: readonly Engine[] = process.platform === "linux" ? ["dgram", "batch"] : ["dgram"];

/** Says what it is asked backwards; to nothing it says nothing. */
const backwards: Answer = (query, length, reply) => {
  for (let i = 0; i < length; i++) reply[i] = query[length - 1 - i]!;
  return length;
};

/** Sends all of them, collects `count` answers. */
async function exchanged(
  client: Port,
  server: Port,
  sent: readonly Uint8Array[],
  count = sent.length,
): Promise<Uint8Array[]> {
  for (const bytes of sent) client.send(bytes, server.local);
  client.flush();
  const got: Uint8Array[] = [];
  for await (const batch of client) {
    for (const { bytes } of batch) got.push(bytes.slice());
    if (got.length >= count) break;
  }
  return got;
}

for (const engine of engines) {
  test(`${engine}: each datagram is answered where it stands, and who is told nothing hears nothing`, async () => {
    await using server = await listen({ address: LOOPBACK, port: 0, engine });
    await using client = await listen({ address: LOOPBACK, port: 0, engine, bufferBytes: 1 << 20 });
    const serving = server.serve(backwards, 600);
    const payloads = array(uint8Array({ minLength: 1, maxLength: 600 }), { minLength: 1, maxLength: 100 });
    await law(
      asyncProperty(payloads, async (sent) => {
        const silent = sent.flatMap((bytes) => [new Uint8Array(0), bytes]); // an empty one before each
        const got = await exchanged(client, server, silent, sent.length);
        assert.deepEqual(
          got.map((bytes) => Buffer.from(bytes).toString("hex")),
          sent.map((bytes) => Buffer.from(bytes.toReversed()).toString("hex")),
        );
      }),
      { numRuns: 25 },
    );
    await server.close();
    await serving;
  });

  test(`${engine}: askers are told apart, however their queries are mixed`, async () => {
    await using server = await listen({ address: LOOPBACK, port: 0, engine });
    const serving = server.serve(backwards, 64);
    const asked = Array.from({ length: 20 }, async (_, n) => {
      const socket = createSocket("udp4");
      for (let i = 0; i < 10; i++) socket.send(Uint8Array.of(n, i), server.local.port, "127.0.0.1");
      for (let i = 0; i < 10; i++) {
        const [reply] = (await once(socket, "message")) as [Uint8Array];
        assert.deepEqual([...reply], [i, n]);
      }
      socket.close();
    });
    await Promise.all(asked);
    await server.close();
    await serving;
  });

  test(`${engine}: a query longer than maxBytes is counted and dropped, its neighbours are answered`, async () => {
    await using server = await listen({ address: LOOPBACK, port: 0, engine, maxBytes: 100 });
    await using client = await listen({ address: LOOPBACK, port: 0, engine });
    const serving = server.serve(backwards, 100);
    client.send(new Uint8Array(101), server.local);
    const got = await exchanged(client, server, [new Uint8Array(100), new Uint8Array(99)]);
    assert.deepEqual(
      got.map(({ length }) => length),
      [100, 99],
    );
    assert.equal(server.counters.truncated, 1);
    await server.close();
    await serving;
  });
}

test("batch: a reply leaves from the address that was asked, of a wildcard port's many", async (t) => {
  if (!engines.includes("batch")) return t.skip("engine batch needs Linux");
  for (const [wildcard, asked] of [
    [0, [0x7f400001, 0x7f41ffee, LOOPBACK]],
    [0n, [1n]],
  ] as const) {
    const server = await listen({ address: wildcard, port: 0, engine: "batch" }).catch(String);
    if (typeof server === "string") {
      t.diagnostic(`no such wildcard here: ${server}`); // a machine without IPv6
      continue;
    }
    const client = await listen({ address: typeof wildcard === "bigint" ? 1n : LOOPBACK, port: 0, engine: "batch" });
    const serving = server.serve(backwards, 64);
    for (const address of asked) {
      const to: Endpoint = { address, port: server.local.port };
      client.send(Uint8Array.of(1), to);
      for await (const [datagram] of client) {
        assert.deepEqual(datagram!.from, to);
        break;
      }
    }
    await Promise.all([server.close(), client.close()]);
    await serving;
  }
});
