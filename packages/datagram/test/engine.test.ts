/** What the batched engine promises of the kernel's options, each by what it does to packets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SO_RCVBUF, SOL_SOCKET } from "../src/batch/constants.ts";
import { loadLibc, memory } from "../src/batch/libc.ts";
import { openSocket } from "../src/batch/socket.ts";
import { listen, type Port } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "engine batch needs Linux";
const LOOPBACK = 0x7f00_0001;

async function lengths(port: Port, count: number): Promise<number[]> {
  const all: number[] = [];
  let got = 0;
  for await (const batch of port) {
    all.push(batch.length);
    if ((got += batch.length) >= count) break;
  }
  return all;
}

test("batches grow with load", { skip }, async () => {
  await using server = await listen({ address: LOOPBACK, port: 0, engine: "batch" });
  await using client = await listen({ address: LOOPBACK, port: 0, engine: "batch" });
  client.send(Uint8Array.of(1), server.local);
  assert.deepEqual(await lengths(server, 1), [1]);
  for (let n = 0; n < 50; n++) client.send(Uint8Array.of(n), server.local);
  client.flush();
  assert.deepEqual(await lengths(server, 50), [50]);
  for (let n = 0; n < 150; n++) client.send(Uint8Array.of(n), server.local);
  client.flush();
  assert.deepEqual(await lengths(server, 150), [64, 64, 22]);
});

test("a port bound to a device receives only its packets", { skip }, async (t) => {
  const open = { address: 0, port: 0, engine: "batch" } as const;
  const bound = await listen({ ...open, device: "lo" }).catch((fault: NodeJS.ErrnoException) => fault);
  if (bound instanceof Error) return t.skip(bound.message);
  await using server = bound;
  await using client = await listen({ address: LOOPBACK, port: 0 });
  client.send(Uint8Array.of(1), { address: LOOPBACK, port: server.local.port });
  assert.deepEqual(await lengths(server, 1), [1]);
  await assert.rejects(listen({ ...open, device: "no-such-device" }), /SO_BINDTODEVICE no-such-device/);
  await assert.rejects(listen({ ...open, device: "a-name-that-is-too-long" }), /not a device name/);
});

test("packets of one client stay with one of the sharing ports", { skip }, async () => {
  const open = { address: LOOPBACK, engine: "batch", share: true } as const;
  const first = await listen({ ...open, port: 0 });
  const second = await listen({ ...open, port: first.local.port });
  const heard = [0, 0];
  const serving = [first, second].map(async (port, i) => {
    for await (const batch of port) heard[i]! += batch.length;
  });
  for (let n = 0; n < 20; n++) {
    await using client = await listen({ address: LOOPBACK, port: 0 });
    for (let i = 0; i < 5; i++) client.send(Uint8Array.of(i), first.local);
  }
  while (heard[0]! + heard[1]! < 100) await sleep(1);
  assert.deepEqual([heard[0]! % 5, heard[0]! + heard[1]!], [0, 100]);
  await Promise.all([first.close(), second.close()]);
  await Promise.all(serving);
});

test("the socket buffer is as large as the kernel grants", { skip }, () => {
  const libc = loadLibc();
  const granted = (bufferBytes: number): number => {
    const { fd } = openSocket(libc, { address: LOOPBACK, port: 0, bufferBytes });
    const value = memory(16);
    value.u32[2] = 4;
    assert.equal(libc.getsockopt(fd, SOL_SOCKET, SO_RCVBUF, value.address, value.address + 8), 0);
    libc.close(fd);
    return value.u32[0]!;
  };
  assert.equal(granted(64 * 1024), 2 * 64 * 1024); // the kernel doubles it for its own bookkeeping
  assert.ok(granted(4 << 20) > granted(64 * 1024));
});

for (const engine of ["batch", "dgram"] as const) {
  test(`${engine}: an idle port costs no CPU`, { skip }, async () => {
    const [server, client] = [
      await listen({ address: LOOPBACK, port: 0, engine }),
      await listen({ address: LOOPBACK, port: 0 }),
    ];
    const serving = (async () => {
      for await (const batch of server) for (const { bytes, from } of batch) server.send(bytes, from);
    })();
    client.send(Uint8Array.of(1), server.local);
    await lengths(client, 1);
    await sleep(20);
    const [before, from] = [process.cpuUsage(), performance.now()];
    await sleep(300);
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / 1000 < (performance.now() - from) / 2, `${user + system} µs`);
    await Promise.all([server.close(), client.close()]);
    await serving;
  });
}
