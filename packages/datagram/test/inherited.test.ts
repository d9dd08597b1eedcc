import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { loadLibc } from "../src/batch/libc.ts";
import { openSocket } from "../src/batch/socket.ts";
import { listen } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "sd_listen_fds is Linux's";
const LOOPBACK = 0x7f00_0001;

const CHILD = `
  import { listen } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
  const [address, port, engine] = [${LOOPBACK}, Number(process.argv[1]), process.argv[2]];
  const one = await listen({ address, port, engine });
  const other = await listen({ address, port, engine }).catch(({ code }) => code);
  console.log(JSON.stringify({ engine: one.engine, isInherited: one.isInherited, local: one.local, other }));
  for await (const [{ bytes, from }] of one) {
    one.send(bytes, from);
    break;
  }
  await one.close();`;

for (const engine of ["batch", "dgram"] as const) {
  test(`${engine}: an inherited socket is used by exactly one port`, { skip }, async () => {
    const libc = loadLibc();
    const { fd, local } = openSocket(libc, { address: LOOPBACK, port: 0 });
    const args = ["--input-type=module", "-e", CHILD, String(local.port), engine];
    const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", process.execPath, ...args], {
      stdio: ["ignore", "pipe", "inherit", fd],
      env: { ...process.env, LISTEN_FDS: "1" },
      timeout: 30_000,
    });
    libc.close(fd); // from here on it is the child's alone
    const ended = once(child, "close");
    const [said] = (await Promise.race([once(child.stdout!, "data"), ended])) as [Buffer | number];
    assert.deepEqual(JSON.parse(String(said)), {
      engine,
      isInherited: true,
      local: { address: LOOPBACK, port: local.port },
      other: "EADDRINUSE",
    });
    await using client = await listen({ address: LOOPBACK, port: 0 });
    assert.equal(client.isInherited, false);
    client.send(Uint8Array.of(1, 2, 3), local);
    for await (const [echo] of client) {
      assert.deepEqual([...echo!.bytes], [1, 2, 3]);
      break;
    }
    assert.deepEqual(await ended, [0, null]);
  });
}
