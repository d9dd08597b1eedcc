import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { isMalformed, parseAddress } from "@firstlight/wire";
import { type Captured, readPcap, writePcap } from "../src/pcap/pcap.ts";

test("a written capture is read back, in IPv4 and IPv6", () => {
  const datagrams: Captured[] = [
    {
      at: 1_700_000_000_123.456,
      src: address("10.0.0.1"),
      sport: 67,
      dst: address("255.255.255.255"),
      dport: 68,
      payload: Uint8Array.of(1),
    },
    {
      at: 1_700_000_000_124,
      src: address("fd00::1"),
      sport: 547,
      dst: address("fd00::2"),
      dport: 546,
      payload: Uint8Array.of(1, 2),
    },
  ];
  assert.deepEqual(readPcap(writePcap(datagrams)), datagrams);
});

test("a pcapng capture of a boot gives its datagrams", () => {
  const read = readPcap(
    readFileSync(new URL("../../../packages/wire/test/dhcp4/captures/uefi-x64-pxe-dnsmasq.pcap", import.meta.url)),
  );
  assert.ok(!isMalformed(read));
  assert.equal(read.filter(({ dport }) => dport === 67).length, 7);
  assert.equal(new Date(read[0]!.at).getUTCFullYear(), 2026);
});

test("any bytes give datagrams or Malformed", () => {
  const file = writePcap([{ at: 0, src: 1, sport: 1, dst: 2, dport: 2, payload: new Uint8Array(9) }]);
  const ng = readFileSync(
    new URL("../../../packages/wire/test/dhcp4/captures/uboot-arm64.pcap", import.meta.url),
  ).subarray(0, 1200);
  for (const seed of [file, ng]) {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: seed.length - 1 }), fc.nat({ max: 255 })), { maxLength: 6 }),
        fc.nat({ max: seed.length }),
        (edits, end) => {
          const bytes = Uint8Array.from(seed);
          for (const [at, value] of edits) bytes[at] = value;
          readPcap(bytes.subarray(0, end));
          readPcap(bytes);
        },
      ),
      { numRuns: 500 },
    );
  }
});

function address(text: string) {
  const read = parseAddress(text);
  assert.ok(!isMalformed(read));
  return read;
}
