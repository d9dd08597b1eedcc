import assert from "node:assert/strict";
import { test } from "node:test";
import { boundEndpoint, inheritedDescriptors } from "../src/socket-activation.ts";

const LOOPBACK = 0x7f00_0001;

test("descriptors are inherited only when LISTEN_PID names the process", () => {
  assert.deepEqual(inheritedDescriptors({ LISTEN_PID: "7", LISTEN_FDS: "2" }, 7), [3, 4]);
  assert.deepEqual(inheritedDescriptors({ LISTEN_PID: "8", LISTEN_FDS: "2" }, 7), []);
  assert.deepEqual(inheritedDescriptors({ LISTEN_FDS: "2" }, 7), []);
  for (const nonsense of ["", "-1", "2x", "99999"]) {
    assert.deepEqual(inheritedDescriptors({ LISTEN_PID: "7", LISTEN_FDS: nonsense }, 7), [], nonsense);
  }
});

test("the bound address is read from the kernel's table, in both families", () => {
  const udp = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  512: 0100007F:0045 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
  515: 00000000:0043 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0`;
  assert.deepEqual(boundEndpoint(udp, "4711"), { address: LOOPBACK, port: 69 });
  assert.deepEqual(boundEndpoint(udp, "4712"), { address: 0, port: 67 });
  assert.equal(boundEndpoint(udp, "471"), undefined);
  const udp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  99: B80D0120000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4713 2 0000000000000000 0`;
  assert.deepEqual(boundEndpoint(udp6, "4713"), { address: 0x2001_0db8_0000_0000_0000_0000_0000_0001n, port: 53 });
});
