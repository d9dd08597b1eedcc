import assert from "node:assert/strict";
import { test } from "node:test";
import { fetch, lab, LEASED, until } from "./lab.ts";

const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 9)) & 0xff);
const BATCH = { engine: "batch" };
const skip = process.platform === "linux" ? false : "the worker needs the engine batch, which is Linux's";

test("files in memory arrive whole on the worker's thread, with and without options", { skip }, async () => {
  await using on = await lab(BATCH);
  for (const length of [0, 1, 511, 512, 513, 1468, 100_000]) {
    await on.put("file", content(length), "old");
    for (const asked of [{}, { blksize: "1468", windowsize: "8", tsize: "0" }]) {
      await using client = await on.client();
      const result = await fetch(client, "file", asked);
      assert.ok("bytes" in result, JSON.stringify(result));
      assert.deepEqual(Buffer.from(result.bytes), Buffer.from(content(length)));
      assert.notEqual(result.from.port, on.server.port);
    }
  }
  await until(() => on.reporter.of("tftp.end").length === 14);
  assert.deepEqual(new Set(on.reporter.of("tftp.end").map(({ because }) => because)), new Set(["sent"]));
});

test("the worker sends lost blocks again", { skip }, async () => {
  await using on = await lab({ ...BATCH, retryMs: 10, maxRetryMs: 40, retries: 20 });
  await on.put("file", content(30_000), "old");
  await using client = await on.client();
  const result = await fetch(client, "file", { windowsize: "4" }, { isLost: (n) => n % 7 === 3 });
  assert.ok("bytes" in result, JSON.stringify(result));
  assert.deepEqual(Buffer.from(result.bytes), Buffer.from(content(30_000)));
});

test(
  "a client that is gone ends its transfer on the worker, and one that stays is told when the server stops",
  { skip },
  async () => {
    await using on = await lab({ ...BATCH, retryMs: 10, maxRetryMs: 10, retries: 2 });
    await on.put("file", content(3000), "old");
    await using gone = await on.client(LEASED);
    gone.ask("file");
    await until(() => on.reporter.of("tftp.end")[0]?.because === "no-answer");
    await using patient = await on.client(LEASED);
    patient.ask("file", { timeout: "5" });
    assert.equal((await patient.next()).message.is, "OACK");
    await on.running.stop();
    const { message } = await patient.next();
    assert.deepEqual(message, { is: "ERROR", code: 0, message: "server stops" });
  },
);

test("a client that asks anew from the same port gets the new file from the worker", { skip }, async () => {
  await using on = await lab(BATCH);
  await on.put("one", content(3000), "old");
  await on.put("two", content(700), "old");
  await using client = await on.client();
  client.ask("one");
  assert.equal((await client.next()).message.is, "DATA");
  const result = await fetch(client, "two");
  assert.ok("bytes" in result, JSON.stringify(result));
  assert.deepEqual(Buffer.from(result.bytes), Buffer.from(content(700)));
  await until(() => on.reporter.of("tftp.end").length === 2);
  assert.deepEqual(
    on.reporter.of("tftp.end").map(({ because }) => because),
    ["client-asked-anew", "sent"],
  );
});

test("who has no transfer on the worker learns it, and nobody answers an error", { skip }, async () => {
  await using on = await lab(BATCH);
  await on.put("file", content(3000), "old");
  await using client = await on.client();
  client.ask("file");
  const { from } = await client.next();
  await using other = await on.client("127.0.0.9");
  other.send({ is: "ERROR", code: 0, message: "nonsense" }, from);
  other.send({ is: "ACK", block: 1 }, from);
  assert.deepEqual((await other.next()).message, { is: "ERROR", code: 5, message: "unknown transfer" });
  assert.equal(other.received.length, 0);
});
