import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import test from "node:test";
import * as fc from "fast-check";
import { readRawRequest } from "../src/raw-request.ts";

test("law: node's HTTP parser reads every accepted raw request as the same request without a body", async () => {
  const read: { url: string | undefined; fields: string[] }[] = [];
  const judge = createServer((request, response) => {
    read.push({ url: request.url, fields: Object.keys(request.headers) });
    response.end();
  });
  await new Promise<void>((resolve) => judge.listen(0, "127.0.0.1", () => resolve()));
  const { port } = judge.address() as AddressInfo;
  const names = fc.constantFrom("Host", "host", "Accept", "User-Agent", "Connection", "connection", "Content-Length");
  const values = fc.oneof(
    fc.constantFrom("x", "close", "keep-alive", " keep-alive ", "", "0", "a\tb"),
    fc.string({ maxLength: 5 }),
  );
  const line = fc
    .tuple(names, fc.constantFrom(": ", ":", " : "), values, fc.constantFrom("\r\n", "\r\n", "\r\n", "\n"))
    .map((parts) => parts.join(""));
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 3 }), async (lines) => {
      const bytes = Buffer.from(`GET /artefacts/a HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
      const asked = readRawRequest(bytes);
      if (asked === undefined) return;
      accepted++;
      const before = read.length;
      const socket = connect(port, "127.0.0.1");
      socket.end(bytes);
      const answer = await text(socket);
      assert.match(answer, /^HTTP\/1.1 200/, bytes.toString("latin1"));
      assert.equal(read.length, before + 1);
      assert.equal(read[before]!.url, "/artefacts/a");
      assert.ok(!read[before]!.fields.includes("content-length"));
      assert.equal(/^connection: close/im.test(answer), asked.isLast);
    }),
    { numRuns: 1000 },
  );
  assert.ok(accepted > 20, String(accepted));
  judge.close();
});
