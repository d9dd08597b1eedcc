import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { type Datagram, listen, type Port } from "../src/index.ts";

const LOOPBACK = 0x7f000001;
const skip = process.platform === "linux" ? false : "engine batch needs Linux";

async function first(port: Port): Promise<Datagram> {
  for await (const batch of port) return batch[0]!;
  throw new Error("closed");
}

test("a wildcard port replies from the address of the query", { skip }, async () => {
  await using server = await listen({ address: 0, port: 0, engine: "batch" });
  await using client = await listen({ address: LOOPBACK, port: 0, engine: "batch" });
  for (const address of [0x7f400001, 0x7f41ffee, LOOPBACK]) {
    client.send(Uint8Array.of(1), { address, port: server.local.port });
    const asked = await first(server);
    assert.equal(asked.to, address);
    assert.ok(asked.ifindex > 0);
    server.send(Uint8Array.of(2), asked.from, { address: asked.to, ifindex: asked.ifindex });
    assert.deepEqual((await first(client)).from, { address, port: server.local.port });
  }
});

test("datagrams dropped by the kernel are counted", { skip }, async () => {
  await using a = await listen({ address: LOOPBACK, port: 0, engine: "batch" });
  await using b = await listen({ address: LOOPBACK, port: 0, engine: "batch", bufferBytes: 4096 });
  for (let i = 0; i < 400; i++) a.send(new Uint8Array(1000), b.local);
  a.flush();
  await first(b); // what fitted
  a.send(new Uint8Array(1), b.local); // the count comes along with the next datagram
  await first(b);
  assert.ok(b.counters.overflowed > 0);
});

test("`auto` falls back to dgram when the pool has no thread left", { skip }, async () => {
  const worker = `
    void import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)}).then(async ({ listen }) => {
      const reasons = [], ports = [];
      for (let i = 0; i < 3; i++) ports.push(await listen({ address: ${LOOPBACK}, port: 0, onFallback: (because) => reasons.push(because) }));
      console.log(JSON.stringify({ engines: ports.map((port) => port.engine), reasons }));
      for (const port of ports) await port.close();
    })`;
  const script = `
    import { Worker } from "node:worker_threads";
    new Worker(${JSON.stringify(worker)}, { eval: true });`;
  const { code, stdout } = await run(script, { UV_THREADPOOL_SIZE: "3" });
  const { engines, reasons } = JSON.parse(stdout) as { engines: string[]; reasons: string[] };
  assert.equal(code, 0);
  assert.deepEqual(engines, ["batch", "batch", "dgram"]);
  assert.match(reasons.join(), /raise UV_THREADPOOL_SIZE above 3/);
});

for (const [how, end] of [
  ["that closes its port ends by itself", "setTimeout(() => void port.close(), 20);"],
  ["may exit while its port waits in the kernel", "setTimeout(() => process.exit(0), 20);"],
  ["that throws while its port waits still ends", "setTimeout(() => { throw new Error('planned'); }, 20);"],
] as const) {
  test(`a server process ${how}`, { skip }, async () => {
    const { code } = await run(`
      import { listen } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const port = await listen({ address: ${LOOPBACK}, port: 0, engine: "batch" });
      ${end}
      for await (const batch of port) for (const { bytes, from } of batch) port.send(bytes, from);`);
    assert.equal(code, end.includes("throw") ? 1 : 0);
  });
}

/** Runs a module in a process of its own; one that hangs is killed and has no exit code. */
async function run(script: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "ignore"],
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout };
}
