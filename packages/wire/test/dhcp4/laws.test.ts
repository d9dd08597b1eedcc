import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decode, encode, fit, get, type Message, options, OPTIONS, type Options } from "../../src/dhcp4/index.ts";
import { isMalformed } from "../../src/index.ts";

const u32 = fc.nat({ max: 0xffffffff });
const text = (max: number) => fc.string({ maxLength: max }).map((s) => s.replaceAll(/[^\x20-\x7e]/g, "x"));
const anyOptions: fc.Arbitrary<Options> = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 254 }).filter((code) => code !== 52),
      fc.uint8Array({ maxLength: 700 }),
    ),
    { maxLength: 8 },
  )
  .map((list) => new Map(list));
const message: fc.Arbitrary<Message> = fc.record({
  op: fc.constantFrom(1, 2),
  htype: fc.nat({ max: 255 }),
  hlen: fc.nat({ max: 16 }),
  hops: fc.nat({ max: 255 }),
  xid: u32,
  secs: fc.nat({ max: 65_535 }),
  flags: fc.constantFrom(0, 0x8000),
  ciaddr: u32,
  yiaddr: u32,
  siaddr: u32,
  giaddr: u32,
  chaddr: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  sname: text(63),
  file: text(127),
  options: anyOptions,
});
const byCode = (value: Options) =>
  [...value].map(([code, bytes]) => [code, [...bytes]] as const).sort(([a], [b]) => a - b);

test("decode after encode is the identity, long values and unknown codes included", () => {
  fc.assert(
    fc.property(message, (sent) => {
      const bytes = encode(sent);
      assert.ok(bytes.length >= 300, "no packet is shorter than BOOTP's");
      const received = decode(bytes);
      assert.ok(!isMalformed(received));
      assert.deepEqual(
        { ...received, chaddr: [...received.chaddr], options: byCode(received.options) },
        {
          ...sent,
          chaddr: [...sent.chaddr],
          options: byCode(sent.options),
        },
      );
    }),
  );
});

test("any bytes give a message or Malformed, and so does any option of it", () => {
  const cookie = [0x63, 0x82, 0x53, 0x63];
  const headed = fc
    .tuple(fc.uint8Array({ minLength: 236, maxLength: 236 }), fc.uint8Array({ maxLength: 600 }), fc.constantFrom(1, 2))
    .map(([head, tail, op]) => Uint8Array.from([op, 1, 6, ...head.subarray(3), ...cookie, ...tail]));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), headed), (bytes) => {
      const read = decode(bytes);
      if (isMalformed(read)) return;
      for (const name of Object.keys(OPTIONS) as (keyof typeof OPTIONS)[]) get(read.options, name);
      decode(encode(read));
    }),
    { numRuns: 2_000 },
  );
});

test("every row of the table reads back what it wrote", () => {
  const values = {
    subnetMask: 0xffffff00,
    routers: [1, 2],
    hostName: "bmc-1",
    interfaceMtu: 9000,
    messageType: "OFFER",
    leaseTime: 0xffffffff,
    maxMessageSize: 1472,
    bootFile: "snponly.efi",
    clientArch: [7, 9],
    rapidCommit: true,
    domainSearch: ["lab.example", "example"],
    classlessRoutes: [
      { address: 0, length: 0, router: 1 },
      { address: 0x0a010000, length: 17, router: 2 },
      { address: 0x0a010203, length: 32, router: 0 },
    ],
    relayAgent: new Map([[1, Uint8Array.of(1, 2)]]),
  } as const;
  const built = options(values);
  for (const [name, value] of Object.entries(values)) {
    assert.deepEqual(get(built, name as keyof typeof values), value, name);
  }
});

test("a message never exceeds the size its receiver accepts, and says what it left out", () => {
  fc.assert(
    fc.property(message, fc.integer({ min: 548, max: 1472 }), (sent, max) => {
      const must = new Map([...sent.options].filter(([code]) => code !== 53 && code !== 54 && code !== 82));
      const fitted = fit({ ...sent, options: must }, max);
      assert.ok(encode(fitted.message).length <= max);
      assert.deepEqual(
        [...fitted.message.options.keys(), ...fitted.dropped].sort((a, b) => a - b),
        [...must.keys()].sort((a, b) => a - b),
      );
    }),
  );
});
