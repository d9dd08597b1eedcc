import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { loadLibc } from "../src/batch/libc.ts";
import { openSocket } from "../src/batch/socket.ts";
import { boundTo, handedOver } from "../src/inherited.ts";
import { listen } from "../src/index.ts";

const skip = process.platform === "linux" ? false : "sd_listen_fds is Linux's";
const LOOPBACK = 0x7f00_0001;

test("descriptors are a process's own only if the environment names it", () => {
  assert.deepEqual(handedOver({ LISTEN_PID: "7", LISTEN_FDS: "2" }, 7), [3, 4]);
  assert.deepEqual(handedOver({ LISTEN_PID: "8", LISTEN_FDS: "2" }, 7), []);
  assert.deepEqual(handedOver({ LISTEN_FDS: "2" }, 7), []);
  for (const nonsense of ["", "-1", "2x", "99999"]) {
    assert.deepEqual(handedOver({ LISTEN_PID: "7", LISTEN_FDS: nonsense }, 7), [], nonsense);
  }
});

test("what a socket is bound to is read as the kernel prints it, for both families", () => {
  const udp = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  512: 0100007F:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
  515: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0`;
  assert.deepEqual(boundTo(udp, "4711"), { address: LOOPBACK, port: 69 });
  assert.deepEqual(boundTo(udp, "4712"), { address: 0, port: 67 });
  assert.equal(boundTo(udp, "471"), undefined);
  const udp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  99: B80D0120000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4713 2 0000000000000000 0`;
  assert.deepEqual(boundTo(udp6, "4713"), { address: 0x2001_0db8_0000_0000_0000_0000_0000_0001n, port: 53 });
});

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
  test(
    `${engine}: a port that is handed over is served by whom it was given to, and by nobody twice`,
    { skip },
    async () => {
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
    },
  );
}
