import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { createMetrics, exposeReadiness, serveHealth, splitEndpoint, type Readiness } from "../src/index.ts";

test("the health server answers /health, /ready and /metrics", async () => {
  let readiness: Readiness = { ready: false, because: "starting" };
  const metrics = createMetrics("lab", "toy");
  exposeReadiness(metrics, () => readiness);
  await using health = await serveHealth({ at: "127.0.0.1:0", daemon: "toy", metrics, readiness: () => readiness });
  const ask = async (path: string, method = "GET"): Promise<[number, string]> => {
    const response = await fetch(`http://${health.endpoint}${path}`, { method });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask("/health"), [200, '{"alive":true,"daemon":"toy"}\n']);
  assert.deepEqual(await ask("/ready"), [503, '{"daemon":"toy","ready":false,"because":"starting"}\n']);
  readiness = { ready: true, because: "database away for 12 s, serving the replica", stalenessMs: 12_000 };
  const [status, body] = await ask("/ready?verbose");
  assert.deepEqual([status, JSON.parse(body)], [200, { daemon: "toy", ...readiness }]);
  const [, text] = await ask("/metrics");
  assert.match(text, /firstlight_ready\{site="lab",daemon="toy"\} 1/);
  assert.match(text, /firstlight_staleness_seconds\{site="lab",daemon="toy"\} 12/);
  assert.match(text, /process_cpu_seconds_total\{/);
  assert.deepEqual(await ask("/elsewhere"), [404, '{"because":"only /health, /ready and /metrics are served"}\n']);
  assert.deepEqual(await ask("/health", "POST"), [405, '{"because":"only GET and HEAD"}\n']);
});

test("malformed input on the health port closes only its connection", async () => {
  const metrics = createMetrics("lab", "toy");
  await using health = await serveHealth({
    at: "127.0.0.1:0",
    daemon: "toy",
    metrics,
    readiness: () => ({ ready: true }),
  });
  const { host, port } = splitEndpoint(health.endpoint);
  const answer = await new Promise<string>((resolve) => {
    let said = "";
    const socket = connect(port, host, () => socket.write("\u0000\u0001 GARBAGE\r\n\r\n"));
    socket
      .on("data", (chunk) => (said += String(chunk)))
      .on("close", () => resolve(said))
      .on("error", () => {});
  });
  assert.match(answer, /^HTTP\/1.1 400 /);
  assert.equal((await fetch(`http://${health.endpoint}/health`)).status, 200);
});
