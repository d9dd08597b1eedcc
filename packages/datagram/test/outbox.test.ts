import assert from "node:assert/strict";
import { test } from "node:test";
import { SOL_SOCKET } from "../src/batch/constants.ts";
import { loadLibc, memory } from "../src/batch/libc.ts";
import { createOutbox } from "../src/batch/outbox.ts";
import { pinned } from "../src/batch/run.ts";
import { openSocket } from "../src/batch/socket.ts";
import { listen } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "Linux alone";
const LOOPBACK = 0x7f00_0001;
const SO_NO_CHECK = 11;

test("a run is sent without kernel segmentation support", { skip }, async () => {
  await using client = await listen({ address: LOOPBACK, port: 0, engine: "dgram" });
  const libc = loadLibc();
  const { fd } = openSocket(libc, { address: LOOPBACK, port: 0 });
  const one = memory(8);
  one.u32[0] = 1;
  assert.equal(libc.setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, one.address, 4), 0); // UDP_SEGMENT takes no part in that
  const counters = { received: 0, sent: 0, overflowed: 0, truncated: 0, unsent: 0 };
  const outbox = createOutbox(libc, fd, false, counters);
  const body = pinned(Uint8Array.from({ length: 90 }, (_, i) => i));
  const run = { body, sliceBytes: 9, count: 10, heads: Uint8Array.from({ length: 10 }, (_, i) => i), headBytes: 1 };
  assert.ok(outbox.putRun({ ...run, position: 0 }, client.local, { address: LOOPBACK }));
  assert.ok(outbox.put(Uint8Array.of(77), client.local, undefined));
  assert.equal(outbox.flush(), 0);
  const got: Uint8Array[] = [];
  for await (const batch of client) {
    for (const { bytes } of batch) got.push(Uint8Array.from(bytes));
    if (got.length >= 11) break;
  }
  assert.deepEqual(
    got.slice(0, 10),
    Array.from({ length: 10 }, (_, i) => Uint8Array.of(i, ...body.bytes.subarray(i * 9, i * 9 + 9))),
  );
  assert.deepEqual(got[10], Uint8Array.of(77));
  assert.deepEqual([counters.sent, counters.unsent], [11, 0]);
  libc.close(fd);
});

test("a run is queued whole or not at all", { skip }, () => {
  const libc = loadLibc();
  const { fd, local } = openSocket(libc, { address: LOOPBACK, port: 0 });
  const outbox = createOutbox(libc, fd, false, { received: 0, sent: 0, overflowed: 0, truncated: 0, unsent: 0 });
  const body = pinned(new Uint8Array(3000));
  const run = { body, position: 0, sliceBytes: 10, count: 256, heads: new Uint8Array(1024), headBytes: 4 };
  const taken = [1, 2, 3, 4, 5].map(() => outbox.putRun(run, local, undefined));
  assert.deepEqual(taken, [true, true, true, true, false]);
  assert.equal(outbox.flush(), 0);
  assert.ok(outbox.putRun(run, local, undefined));
  libc.close(fd);
});
