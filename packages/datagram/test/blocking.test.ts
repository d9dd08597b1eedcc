import assert from "node:assert/strict";
import { test } from "node:test";
import { createWakeup, listen, listenBlocking } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "Linux alone";
const LOOPBACK = 0x7f00_0001;

test("a blocking port receives, replies and is woken", { skip }, async () => {
  const wakeup = await createWakeup();
  const port = await listenBlocking({ address: LOOPBACK, port: 0 }, wakeup.bell);
  await using client = await listen({ address: LOOPBACK, port: 0, engine: "dgram" });
  assert.deepEqual([port.receive(0), port.isWoken], [[], false]);
  wakeup.wake();
  wakeup.wake();
  assert.deepEqual([port.receive(-1), port.isWoken], [[], true]);
  assert.deepEqual([port.receive(0), port.isWoken], [[], false], "many wake-ups are one");

  client.send(Uint8Array.of(1, 2, 3), port.local);
  client.flush();
  const [datagram] = port.receive(10_000);
  assert.deepEqual([...datagram!.bytes], [1, 2, 3]);
  assert.deepEqual(datagram!.from, client.local);
  port.send(Uint8Array.of(4, 5), datagram!.from);
  port.flush();
  for await (const [answer] of client) {
    assert.deepEqual([...answer!.bytes], [4, 5]);
    assert.deepEqual(answer!.from, port.local);
    break;
  }
  assert.deepEqual([port.counters.received, port.counters.sent], [1, 1]);
  port.close();
  wakeup.close();
});

test("a run sends datagrams of one head and one slice each", { skip }, async () => {
  const wakeup = await createWakeup();
  const content = Uint8Array.from({ length: 30_000 }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
  for (const address of [LOOPBACK, 1n]) {
    const port = await listenBlocking({ address, port: 0 }, wakeup.bell).catch(() => undefined);
    if (port === undefined) continue; // a machine without IPv6
    await using client = await listen({ address, port: 0, engine: "dgram", maxBytes: 65_507 });
    const heard = client[Symbol.asyncIterator]();
    const body = port.pin(content);
    for (const sliceBytes of [1, 512, 1468, 5000, 7500]) {
      const count = Math.min(20, Math.floor(content.length / sliceBytes) + 1);
      const last = content.length - sliceBytes * (count - 1);
      for (const position of [0, Math.max(0, last)]) {
        const heads = Uint8Array.from({ length: count * 4 }, (_, i) => i);
        port.sendRun({ body, position, sliceBytes, count, heads, headBytes: 4 }, client.local);
        heads.fill(255);
        port.flush();
        const got: Uint8Array[] = [];
        while (got.length < count) for (const { bytes } of (await heard.next()).value) got.push(Uint8Array.from(bytes));
        const want = Array.from({ length: count }, (_, i) =>
          Uint8Array.from([
            ...[0, 1, 2, 3].map((byte) => i * 4 + byte),
            ...content.subarray(position + i * sliceBytes, position + (i + 1) * sliceBytes),
          ]),
        );
        assert.deepEqual(got, want, `${address} ${sliceBytes} ${position}`);
      }
    }
    const sent = port.counters.sent;
    port.sendRun(
      { body, position: 0, sliceBytes: 65_504, count: 2, heads: new Uint8Array(8), headBytes: 4 },
      client.local,
    );
    port.flush();
    assert.deepEqual([port.counters.sent - sent, port.counters.unsent], [0, 2], "longer than UDP can be");
    port.close();
  }
  wakeup.close();
});
