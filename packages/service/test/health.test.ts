import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import {
  createMetrics,
  exposeReadiness,
  replicaReadiness,
  serveHealth,
  splitEndpoint,
  type Readiness,
} from "../src/index.ts";

test("the health server answers /health, /ready and /metrics", async () => {
  let readiness: Readiness = { ready: false, because: "starting", detail: "starting" };
  const metrics = createMetrics("lab", "toy");
  exposeReadiness(metrics, () => readiness);
  await using health = await serveHealth({ at: "127.0.0.1:0", daemon: "toy", metrics, readiness: () => readiness });
  const request = async (path: string, method = "GET"): Promise<[number, string]> => {
    const response = await fetch(`http://${health.endpoint}${path}`, { method });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await request("/health"), [200, '{"alive":true,"daemon":"toy"}\n']);
  assert.deepEqual(await request("/ready"), [
    503,
    '{"daemon":"toy","ready":false,"because":"starting","detail":"starting"}\n',
  ]);
  readiness = replicaReadiness({ isLoaded: true, stalenessMs: 12_000, outage: { lastsMs: 12_000 } });
  const [status, body] = await request("/ready?verbose");
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(body), {
    daemon: "toy",
    ready: true,
    because: "database-away",
    detail: "database away for 12 s, serving the replica",
    stalenessMs: 12_000,
  });
  const [, text] = await request("/metrics");
  assert.match(text, /firstlight_ready\{site="lab",daemon="toy"\} 1/);
  assert.match(text, /firstlight_staleness_seconds\{site="lab",daemon="toy"\} 12/);
  assert.match(text, /process_cpu_seconds_total\{/);
  assert.deepEqual(await request("/elsewhere"), [
    404,
    '{"because":"path-unknown","detail":"only /health, /ready and /metrics are served"}\n',
  ]);
  assert.deepEqual(await request("/health", "POST"), [
    405,
    '{"because":"get-or-head-only","detail":"only GET and HEAD"}\n',
  ]);
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
    let received = "";
    const socket = connect(port, host, () => socket.write("\u0000\u0001 GARBAGE\r\n\r\n"));
    socket
      .on("data", (chunk) => (received += String(chunk)))
      .on("close", () => resolve(received))
      .on("error", () => {});
  });
  assert.match(answer, /^HTTP\/1.1 400 /);
  assert.equal((await fetch(`http://${health.endpoint}/health`)).status, 200);
});
