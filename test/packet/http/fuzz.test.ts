import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import * as fc from "fast-check";
import { lab, NOBODY, ONE, TRACE } from "./lab.ts";

const LOOSE = { perClient: { perSecond: 1e6, burst: 1e6 } };

/** Sends bytes, says it has no more, and gives what came back once the server closed. */
function throwAt(port: number, bytes: Uint8Array, from: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect({ host: "127.0.0.1", port, localAddress: from });
  let got = "";
  socket.on("data", (chunk) => (got += chunk.toString("latin1")));
  socket.on("error", () => {});
  socket.on("close", () => resolve(got));
  socket.end(bytes);
  return promise;
}

const request = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "TRACE", "OPTIONS", "CONNECT", "G\0T"),
    path: fc.oneof(
      fc.constantFrom(
        "/boot.ipxe",
        "/phone-home",
        "/artefacts/ipxe/snponly.efi",
        `/t/${TRACE}/cloud-init/meta-data`,
        "*",
      ),
      fc.webPath(),
      fc.string({ maxLength: 40 }).map((text) => `/artefacts/${text}`),
      fc.constant("/".repeat(9000)),
    ),
    version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2", ""),
    headers: fc.array(
      fc.constantFrom(
        "Host: x",
        "Range: bytes=5-1",
        "Range: bytes=-0",
        "Content-Length: 5",
        "Content-Length: -1",
        "Transfer-Encoding: chunked",
        "Content-Type: application/json",
        "Expect: 100-continue",
        'If-None-Match: "',
        "Upgrade: websocket",
        "Connection: upgrade",
        `X: ${"y".repeat(9000)}`,
        "\0: \x01",
      ),
      { maxLength: 4 },
    ),
    body: fc.string({ maxLength: 60 }),
  })
  .map(({ method, path, version, headers, body }) =>
    Buffer.from([`${method} ${path} ${version}`, "Connection: close", ...headers, "", body].join("\r\n")),
  );

test("any bytes on the port: no crash, no fault, no hang, and the next machine is served", async () => {
  await using site = await lab(LOOSE);
  const bytes = fc.oneof(request, fc.uint8Array({ maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom(ONE.address, NOBODY), async (sent, from) => {
      const got = await throwAt(site.port, sent, from);
      assert.ok(got === "" || got.startsWith("HTTP/1.1 "), got.slice(0, 80));
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(site.faults, []);
  assert.match((await site.ask("/boot.ipxe")).text, /kernel /);
});

test("one address cannot take every connection", async () => {
  await using site = await lab({ maxConnectionsPerClient: 3 });
  const open = Array.from({ length: 8 }, () => connect({ host: "127.0.0.1", port: site.port, localAddress: NOBODY }));
  let closed = 0;
  await new Promise<void>((resolve) => {
    for (const socket of open) {
      socket.on("error", () => {});
      socket.resume().once("close", () => ++closed === 5 && resolve());
    }
  });
  assert.match((await site.ask("/boot.ipxe")).text, /kernel /);
  for (const socket of open) socket.destroy();
  assert.match(await site.metrics.metrics(), /refusals_total\{because="connections-per-client-limit"\} 5/);
});
