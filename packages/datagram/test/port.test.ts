import assert from "node:assert/strict";
import { test } from "node:test";
import { array, asyncProperty, assert as law, uint8Array } from "fast-check";
import { type Datagram, type Engine, listen, type Port } from "../src/index.ts";

const LOOPBACK = 0x7f000001;
const engines: readonly Engine[] = process.platform === "linux" ? ["dgram", "batch"] : ["dgram"];
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Collects datagrams, copied, until there are `count` of them. */
async function collect(port: Port, count: number): Promise<Datagram[]> {
  const all: Datagram[] = [];
  for await (const batch of port) {
    for (const datagram of batch) all.push({ ...datagram, bytes: datagram.bytes.slice() });
    if (all.length >= count) break;
  }
  return all;
}

async function echo(port: Port): Promise<void> {
  for await (const batch of port) for (const { bytes, from } of batch) port.send(bytes, from);
}

for (const engine of engines) {
  test(`${engine}: a sent buffer may be overwritten at once`, async () => {
    await using a = await listen({ address: LOOPBACK, port: 0, engine });
    await using b = await listen({ address: LOOPBACK, port: 0, engine });
    const scratch = new Uint8Array(4);
    for (let n = 0; n < 8; n++) a.send(scratch.fill(n), b.local);
    scratch.fill(255);
    assert.deepEqual(
      (await collect(b, 8)).map(({ bytes }) => bytes[3]),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
  });

  test(`${engine}: what one sends the other gets, in order and from the right address`, async () => {
    await using a = await listen({ address: LOOPBACK, port: 0, engine, bufferBytes: 1 << 20 });
    await using b = await listen({ address: LOOPBACK, port: 0, engine, bufferBytes: 1 << 20 });
    assert.equal(a.engine, engine);
    assert.equal(a.local.address, LOOPBACK);
    assert.notEqual(a.local.port, 0);
    const payloads = array(uint8Array({ maxLength: 2048 }), { minLength: 1, maxLength: 40 });
    await law(
      asyncProperty(payloads, async (sent) => {
        for (const bytes of sent) a.send(bytes, b.local);
        const got = await collect(b, sent.length);
        assert.deepEqual(
          got.map(({ bytes }) => Buffer.from(bytes).toString("hex")),
          sent.map((bytes) => Buffer.from(bytes).toString("hex")),
        );
        assert.ok(got.every(({ from }) => from.port === a.local.port && from.address === LOOPBACK));
      }),
      { numRuns: 25 },
    );
  });

  test(`${engine}: IPv6 works alike`, async (t) => {
    const open = { address: 1n, port: 0, engine } as const;
    const a = await listen(open).catch((fault: NodeJS.ErrnoException) => fault);
    if (a instanceof Error) return t.skip(`no IPv6 loopback here: ${a.message}`);
    const b = await listen(open);
    a.send(Uint8Array.of(1, 2, 3), b.local);
    const [got] = await collect(b, 1);
    assert.deepEqual(got!.from, { address: 1n, port: a.local.port });
    if (engine === "batch") assert.equal(got!.to, 1n);
    await a.close();
    await b.close();
  });

  test(`${engine}: a datagram longer than maxBytes is counted and dropped, its neighbours arrive`, async () => {
    await using a = await listen({ address: LOOPBACK, port: 0, engine });
    await using b = await listen({ address: LOOPBACK, port: 0, engine, maxBytes: 100 });
    for (const length of [100, 101, 99]) a.send(new Uint8Array(length), b.local);
    const got = await collect(b, 2);
    assert.deepEqual(
      got.map(({ bytes }) => bytes.length),
      [100, 99],
    );
    assert.equal(b.counters.truncated, 1);
    assert.equal(b.counters.received, 2);
  });

  test(`${engine}: the sender may reuse its buffer after flush`, async () => {
    await using a = await listen({ address: LOOPBACK, port: 0, engine });
    await using b = await listen({ address: LOOPBACK, port: 0, engine });
    const bytes = Uint8Array.of(1);
    a.send(bytes, b.local);
    a.flush();
    bytes[0] = 2;
    a.send(bytes, b.local);
    assert.deepEqual(
      (await collect(b, 2)).map(({ bytes }) => bytes[0]),
      [1, 2],
    );
  });

  test(`${engine}: a send that cannot work is counted, never thrown, and hinders no other`, async () => {
    await using a = await listen({ address: LOOPBACK, port: 0, engine });
    await using b = await listen({ address: LOOPBACK, port: 0, engine });
    a.send(new Uint8Array(70_000), b.local); // longer than UDP can be
    a.send(Uint8Array.of(0), { address: 1n, port: 9 }); // the other family
    a.send(Uint8Array.of(0), { address: 0xffffffff, port: 9 }); // broadcast without SO_BROADCAST
    a.send(Uint8Array.of(7), b.local);
    const [got] = await collect(b, 1);
    assert.equal(got!.bytes[0], 7);
    await later(5); // dgram learns of a failure by callback
    assert.deepEqual([a.counters.sent, a.counters.unsent], [1, 3]);
  });

  test(`${engine}: closing ends a waiting iteration, twice is fine, and sending afterwards is counted`, async () => {
    const port = await listen({ address: LOOPBACK, port: 0, engine });
    const iteration = collect(port, 1);
    await later(5);
    await Promise.all([port.close(), port.close()]);
    assert.deepEqual(await iteration, []);
    port.send(Uint8Array.of(1), { address: LOOPBACK, port: 9 });
    port.flush();
    assert.equal(port.counters.unsent, 1);
  });

  test(`${engine}: closing sends what is queued`, async () => {
    await using b = await listen({ address: LOOPBACK, port: 0, engine });
    const a = await listen({ address: LOOPBACK, port: 0, engine });
    a.send(Uint8Array.of(9), b.local);
    await a.close();
    assert.equal((await collect(b, 1))[0]!.bytes[0], 9);
  });

  test(`${engine}: a port in use is refused with EADDRINUSE, a shared one is not`, async () => {
    await using alone = await listen({ address: LOOPBACK, port: 0, engine });
    await assert.rejects(listen({ address: LOOPBACK, port: alone.local.port, engine }), { code: "EADDRINUSE" });
    await using one = await listen({ address: LOOPBACK, port: 0, engine, share: true });
    await using two = await listen({ address: LOOPBACK, port: one.local.port, engine, share: true });
    assert.equal(two.local.port, one.local.port);
  });

  test(`${engine}: 20,000 echoes leave no handle behind and lose nothing uncounted`, async () => {
    const before = process.getActiveResourcesInfo().length;
    const server = await listen({ address: LOOPBACK, port: 0, engine });
    const client = await listen({ address: LOOPBACK, port: 0, engine });
    const serving = echo(server);
    let got = 0;
    for (let round = 0; round < 400; round++) {
      for (let i = 0; i < 50; i++) client.send(new Uint8Array(300).fill(round), server.local);
      got += (await collect(client, 50)).length;
    }
    await client.close();
    await server.close();
    await serving;
    assert.equal(got, 20_000);
    assert.equal(server.counters.received, 20_000);
    assert.equal(server.counters.sent, 20_000);
    await later(1);
    assert.ok(process.getActiveResourcesInfo().length <= before + 1);
  });
}

test("dgram: a port nobody reads keeps a bounded queue and counts the rest", async () => {
  await using a = await listen({ address: LOOPBACK, port: 0, engine: "dgram" });
  await using b = await listen({ address: LOOPBACK, port: 0, engine: "dgram", bufferBytes: 8 << 20 });
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 100; i++) a.send(Uint8Array.of(1), b.local);
    await later(0);
  }
  await later(20);
  assert.ok(b.counters.received <= 4096);
  assert.ok(b.counters.overflowed > 0);
});

test("dgram: a device cannot be bound, and it says so instead of serving all of them", async () => {
  await assert.rejects(listen({ address: LOOPBACK, port: 0, engine: "dgram", device: "lo" }), {
    code: "FL_UNAVAILABLE",
  });
});
