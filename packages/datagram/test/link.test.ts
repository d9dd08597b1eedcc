import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assert as law, property, uint8Array } from "fast-check";
import { AF_PACKET, SOCK_DGRAM, SOCK_FLAGS } from "../src/batch/constants.ts";
import { loadLibc, memory } from "../src/batch/libc.ts";
import { HEAD_BYTES, writeFrame } from "../src/frame.ts";
import { openLink } from "../src/index.ts";

const LOOPBACK_IFINDEX = 1;

/** A read request and an acknowledgement of iPXE's, as it put them on the wire (bios-ipxe-tftpscript-dnsmasq). */
const CAPTURED = [
  "45000043044b00004011614f0a63004a0a630001650e0045002f68680001626f6f742e69707865006f6374657400626c6b73697a650031343332007473697a65003000",
  "45000020054d0000401160700a63004a0a630001650ee7ab000c9e0700040000",
];

test("a frame equals a firmware's frame except for the identification", () => {
  for (const hex of CAPTURED) {
    const packet = Buffer.from(hex, "hex");
    const from = { address: packet.readUInt32BE(12), port: packet.readUInt16BE(20) };
    const to = { address: packet.readUInt32BE(16), port: packet.readUInt16BE(22) };
    const frame = new Uint8Array(packet.length);
    assert.equal(writeFrame(frame, packet.subarray(HEAD_BYTES), from, to), packet.length);
    const [ours, theirs] = [Buffer.from(frame), Buffer.from(packet)];
    for (const one of [ours, theirs]) one.fill(0, 4, 8).fill(0, 10, 12); // identification, fragments, and so the checksum
    assert.deepEqual(ours, theirs);
  }
});

test("law: both checksums of a frame are correct", () => {
  const from = { address: 0xc0a8_0001, port: 67 };
  const to = { address: 0xffff_fffe, port: 68 };
  law(
    property(uint8Array({ maxLength: 700 }), (bytes) => {
      const frame = Buffer.alloc(HEAD_BYTES + bytes.length);
      writeFrame(frame, bytes, from, to);
      assert.equal(onesComplement(frame.subarray(0, 20)), 0xffff);
      const pseudo = Buffer.concat([
        frame.subarray(12, 20),
        Buffer.of(0, 17),
        frame.subarray(24, 26),
        frame.subarray(20),
      ]);
      assert.equal(onesComplement(pseudo), 0xffff);
      assert.notEqual(frame.readUInt16BE(26), 0);
    }),
  );
});

function onesComplement(bytes: Buffer): number {
  const even = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(0)]);
  let total = 0;
  for (let at = 0; at < even.length; at += 2) total += even.readUInt16BE(at);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

test("a packet socket sends to a hardware address without ARP", async (t) => {
  const link = await openLink().catch((fault: NodeJS.ErrnoException) => fault);
  if (link instanceof Error) {
    assert.equal(link.code, "FL_UNAVAILABLE");
    return t.skip(link.message);
  }
  using _open = link;
  const hasLoopback = networkInterfaces()["lo"]?.some(({ address }) => address === "127.0.0.1");
  if (hasLoopback !== true) return t.skip("no loopback of that name");
  const libc = loadLibc();
  const tap = libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_FLAGS, 0x0008); // hears IPv4 (0x0800, in network order) on every device
  const [from, to] = [
    { address: 0x7f00_0009, port: 67 },
    { address: 0x7f00_000a, port: 68 },
  ];
  const station = { hardware: 0, ifindex: LOOPBACK_IFINDEX }; // the loopback's own
  assert.ok(link.send(Uint8Array.of(1, 2, 3), from, to, station));
  const [heard, want] = [memory(9000), new Uint8Array(HEAD_BYTES + 3)];
  writeFrame(want, Uint8Array.of(1, 2, 3), from, to);
  for (let length = 0; length !== want.length || !Buffer.from(want).equals(heard.u8.subarray(0, length));) {
    length = libc.read(tap, heard.address, 9000);
    if (length < 0) await sleep(1);
  }
  libc.close(tap);
  assert.equal(link.send(new Uint8Array(9000), from, to, station), false, "longer than a frame");
  assert.equal(link.send(Uint8Array.of(1), from, to, { ...station, ifindex: 1_000_000 }), false, "no such device");
  assert.equal(link.send(Uint8Array.of(1), { address: 1n, port: 1 }, to, station), false, "the other family");
});
