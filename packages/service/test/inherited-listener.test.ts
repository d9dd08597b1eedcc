import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { test } from "node:test";

const skip = process.platform === "linux" ? false : "socket activation is Linux only";
const LOOPBACK = 0x7f00_0001;

const CHILD = `
  import { inheritedListener } from ${JSON.stringify(new URL("../src/lifecycle/inherited-listener.ts", import.meta.url).href)};
  const at = { address: ${LOOPBACK}, port: Number(process.argv[1]) };
  console.log(JSON.stringify([inheritedListener(at) ?? null, inheritedListener(at) ?? null]));`;

test("an inherited TCP listener is found once by its bound address", { skip }, async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { fd } = (server as Server & { readonly _handle: { readonly fd: number } })._handle;
  const args = ["--input-type=module", "-e", CHILD, String(port)];
  const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", process.execPath, ...args], {
    stdio: ["ignore", "pipe", "inherit", fd],
    env: { ...process.env, LISTEN_FDS: "1" },
    timeout: 30_000,
  });
  const ended = once(child, "close");
  const [output] = (await Promise.race([once(child.stdout!, "data"), ended])) as [Buffer | number];
  assert.deepEqual(JSON.parse(String(output)), [3, null]);
  assert.deepEqual(await ended, [0, null]);
  server.close();
});
