import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { obstacles } from "../src/process/listeners.ts";

const ALL = new Set(["api", "dhcpd", "dnsd", "tftpd"] as const);

test("a socket that a daemon could not open is said by its setting, before anything starts", async () => {
  const tcp = createServer().listen(0, "127.0.0.1");
  const udp = createSocket("udp4").bind(0, "127.0.0.1");
  await Promise.all([once(tcp, "listening"), once(udp, "listening")]);
  const [web, packets] = [`127.0.0.1:${(tcp.address() as AddressInfo).port}`, `127.0.0.1:${udp.address().port}`];
  const sections = {
    api: { listen: "127.0.0.1:0", health: web },
    dhcpd: { listen: [{ address: packets }, { address: packets, device: "eth0" }], health: "127.0.0.1:0" },
    tftpd: { listen: "192.0.2.1:6969" },
  };
  assert.deepEqual(await obstacles(sections, ALL), [
    `api.health: ${web} (tcp) is taken by another process; stop that, or choose another port`,
    `dhcpd.listen: ${packets} (udp) is taken by another process; stop that, or choose another port`,
    "tftpd.listen: 192.0.2.1:6969 (udp) is no address of this machine",
  ]);
  assert.deepEqual(await obstacles(sections, new Set(["dnsd"] as const)), []);
  tcp.close();
  udp.close();
  await Promise.all([once(tcp, "close"), once(udp, "close")]);
  const twins = { dnsd: { listen: [packets], health: packets } };
  assert.deepEqual(await obstacles(twins, ALL), [`dnsd.health: ${packets} (tcp) is that of dnsd.listen too`]);
});
