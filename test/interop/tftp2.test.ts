import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { lab } from "../packet/tftp/lab.ts";

/** npm's `tftp2`: RFC 1350 and nothing else, written by others; it neither retransmits nor knows options. */
interface Peer {
  Client(
    host: string,
    port: number,
  ): { read(file: string, push: (data: Buffer) => void, done: () => void): Promise<void>; close(): void };
}
const peer = createRequire(import.meta.url)("tftp2") as Peer;

for (const length of [0, 512, 20_000]) {
  test(`npm's tftp2 reads a file of ${length} bytes`, async () => {
    await using on = await lab({ retryMs: 50 });
    const file = Buffer.from(Array.from({ length }, (_, i) => (i * 7) & 0xff));
    await on.put("undionly.kpxe", file);
    const client = peer.Client("127.0.0.1", on.server.port);
    const parts: Buffer[] = [];
    await client.read(
      "undionly.kpxe",
      (data) => void parts.push(data),
      () => {},
    );
    client.close();
    assert.ok(Buffer.concat(parts).equals(file));
  });
}
