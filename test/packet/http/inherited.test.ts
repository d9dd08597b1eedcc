import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";

const skip = process.platform === "linux" ? false : "sd_listen_fds is Linux's";

const CHILD = `
  import { lab } from ${JSON.stringify(new URL("./lab.ts", import.meta.url).href)};
  const on = await lab({ listen: process.argv[1] });
  console.log(on.running.endpoints.http);
  process.stdin.once("data", async () => (await on[Symbol.asyncDispose](), process.exit(0)));`;

test(
  "a listening socket that is handed over is served, and machines that came before the daemon are answered",
  { skip },
  async () => {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { _handle: handle } = server as unknown as { readonly _handle: { readonly fd: number } };
    const args = ["--input-type=module", "-e", CHILD, `127.0.0.1:${port}`];
    const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", process.execPath, ...args], {
      stdio: ["pipe", "pipe", "inherit", handle.fd],
      env: { ...process.env, LISTEN_FDS: "1" },
      timeout: 60_000,
    });
    server.close();
    const early = fetch(`http://127.0.0.1:${port}/artefacts/ipxe/snponly.efi`); // the kernel keeps it until somebody takes it
    const ended = once(child, "close");
    const [said] = (await Promise.race([once(child.stdout!, "data"), ended])) as [Buffer | number];
    assert.equal(String(said).trim(), `127.0.0.1:${port}`);
    const answer = await early;
    assert.deepEqual([answer.status, (await answer.bytes()).length], [200, 3000]);
    child.stdin!.end("stop");
    assert.deepEqual(await ended, [0, null]);
  },
);
