import assert from "node:assert/strict";
import { test } from "node:test";
import { createWakeup, listen, listenBlocking } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "Linux alone";
const LOOPBACK = 0x7f00_0001;

test(
  "a blocking port takes what is there, answers it, and is woken by whoever has its descriptor",
  { skip },
  async () => {
    const wakeup = await createWakeup();
    const port = await listenBlocking({ address: LOOPBACK, port: 0 }, wakeup.descriptor);
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
  },
);
