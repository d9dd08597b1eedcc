import assert from "node:assert/strict";
import test from "node:test";
import {
  answers,
  type Data,
  decode,
  encode,
  encodeQuery,
  labels,
  type Message,
  nameBytes,
  nameFault,
  newScan,
  query,
  readName,
  scan,
  TYPES,
} from "../../src/dns/index.ts";
import { isMalformed, Malformed } from "../../src/index.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const message = (bytes: Uint8Array): Message => {
  const read = decode(bytes);
  assert.ok(!isMalformed(read), isMalformed(read) ? read.because : "");
  return read;
};

test("busybox in a booted guest asks for its boot server", () => {
  // captures/bios-ipxe-dnsmasq: nslookup of the initramfs
  const read = message(hex("8d32 0100 0001 0000 0000 0000 04626f6f74 03653265 0474657374 00 0001 0001"));
  assert.equal(read.recursionDesired, true);
  assert.deepEqual(read.questions, [{ name: "boot.e2e.test", type: TYPES.of.A, class: 1 }]);
  assert.equal(read.edns, undefined);
});

test("an answer compressed to the question reads in full", () => {
  const read = message(
    hex(
      `0007 8580 0001 0002 0001 0001
      03777777 036c6162 00 0001 0001
      c00c 0005 0001 0000003c 0005 02613118 c010`
        .replace("02613118", "026131")
        .concat("c025 0001 0001 0000003c 0004 7f40000c")
        .concat("c010 0002 0001 0000003c 0006 036e7331 c010")
        .concat("00 0029 04d0 00 00 8000 0000"),
    ),
  );
  assert.deepEqual(
    read.answers.map((record) => [record.owner, record.data]),
    [
      ["www.lab", { is: "CNAME", target: "a1.lab" }],
      ["a1.lab", { is: "A", address: 0x7f40000c }],
    ],
  );
  assert.deepEqual(read.authorities[0]?.data, { is: "NS", host: "ns1.lab" });
  assert.deepEqual(read.edns, { payloadBytes: 1232, version: 0, dnssecOk: true, options: [] });
});

test("a name that points to itself is Malformed, not a hang", () => {
  // packages.md: 18 bytes that never return in native-dns
  const read = decode(hex("0001 8400 0001 0000 0000 0000 c00c 0001 0001"));
  assert.ok(isMalformed(read));
  assert.equal(read.because, "compression pointer leads forward");
});

test("29 bytes that claim 65535 answers cost nothing", () => {
  // packages.md: dns-packet reads 65,535 records out of these
  const read = decode(hex("0001 8400 0000 ffff 0000 0000 00 002c 0001 00000001 0006 0103aabbccdd"));
  assert.ok(isMalformed(read));
});

test("a chain of pointers is followed only so far", () => {
  const bytes = new Uint8Array(1000);
  for (let at = 2; at < bytes.length; at += 2) bytes.set([0xc0 | ((at - 2) >>> 8), at - 2], at);
  const into = labels();
  assert.equal(readName(bytes, 20, bytes.length, "follow", into), 22);
  assert.equal(into.count, 0);
  assert.equal(readName(bytes, 998, bytes.length, "follow", into), -3);
  assert.equal(nameFault(-3), "too many compression pointers");
});

/** Names that DNS cannot carry, and why. */
const BAD_NAMES: readonly (readonly [string, string])[] = [
  ["a..b", "empty label in name"],
  [".a", "empty label in name"],
  ["x".repeat(64), "label longer than 63 octets"],
  [Array(64).fill("abc").join("."), "name longer than 255 octets"],
  ["\\300", "bad escape in name"],
  ["\\1", "bad escape in name"],
  ["tail\\", "bad escape in name"],
  ["ł", "name holds a character that is no octet"],
];

for (const [name, because] of BAD_NAMES) {
  test(`${JSON.stringify(name.slice(0, 12))} is no name: ${because}`, () => {
    const wire = nameBytes(name);
    assert.ok(wire instanceof Malformed);
    assert.equal(wire.because, because);
    assert.ok(isMalformed(encodeQuery({ id: 1, name, type: "A" })));
  });
}

test("a label may hold a dot, and 255 octets are enough", () => {
  assert.deepEqual(nameBytes("a\\.b.c."), hex("03 612e62 01 63 00"));
  const longest = [...Array(3).fill("x".repeat(63)), "y".repeat(61)].join(".");
  assert.equal((nameBytes(longest) as Uint8Array).length, 255);
});

const record = (type: keyof typeof TYPES.of, data: Data) => ({
  owner: "lab",
  type: TYPES.of[type],
  class: 1,
  ttlSeconds: 1,
  data,
});

test("SRV targets are never compressed, NS targets are", () => {
  const sizes = [
    record("NS", { is: "NS", host: "lab" }),
    record("SRV", { is: "SRV", priority: 0, weight: 0, port: 80, target: "lab" }),
  ].map(
    (answer) =>
      (encode({ ...query({ id: 1, name: "lab", type: "ANY", payloadBytes: false }), answers: [answer] }) as Uint8Array)
        .length,
  );
  assert.deepEqual(sizes, [12 + 9 + 12 + 2, 12 + 9 + 12 + 6 + 5]);
});

/** RDATA that does not fit its type. */
const BAD_RDATA: readonly (readonly [string, string])[] = [
  ["0001 0001 00000001 0003 7f0000", "RDATA is too short"],
  ["0001 0001 00000001 0005 7f00000101", "RDATA is too long"],
  ["001c 0001 00000001 0004 7f000001", "RDATA is too short"],
  ["0010 0001 00000001 0000", "RDATA is too short"],
  ["0010 0001 00000001 0002 0561", "RDATA is too short"],
  ["000c 0001 00000001 0002 0161", "name runs past the end"],
];

for (const [record, because] of BAD_RDATA) {
  test(`a record ${record.slice(0, 4)} of ${record.slice(20, 24)} bytes is Malformed: ${because}`, () => {
    const read = decode(hex(`0001 8400 0000 0001 0000 0000 00 ${record}`));
    assert.ok(read instanceof Malformed);
    assert.equal(read.because, because);
  });
}

/** What the scan finds, in the order a server refuses. */
const FINDINGS: readonly (readonly [string, string])[] = [
  ["0001 0100 0001", "query-too-short"],
  ["0001 8100 0001 0000 0000 0000 00 0001 0001", "is-a-response"],
  ["0001 2100 0001 0000 0000 0000 00 0006 0001", "opcode-not-query"],
  ["0001 0100 0000 0000 0000 0000", "not-one-question"],
  ["0001 0100 0002 0000 0000 0000 00 0001 0001 00 0001 0001", "not-one-question"],
  ["0001 0100 0001 0000 0000 0000 c00c 0001 0001", "question-malformed"],
  ["0001 0100 0001 0000 0000 0000 0161 00 0001", "question-malformed"],
  ["0001 0100 0001 0000 0000 0001 00 0001 0001 c0", "records-malformed"],
  [`0001 0100 0001 0000 0000 0001 00 0001 0001 ${"0161".repeat(128)} 00 0001 0001 00000001 0000`, "records-malformed"],
  ["0001 0100 0001 0000 0000 0001 00 0001 0001", "records-malformed"],
  ["0001 0100 0001 0000 0000 0000 00 0001 0001 ff", "records-malformed"],
  ["0001 0100 0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0001 00", "records-malformed"],
  ["0001 0100 0001 0001 0000 0000 00 0001 0001 00 0029 04d0 00000000 0000", "records-malformed"],
  [
    "0001 0100 0001 0000 0000 0002 00 0001 0001 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
    "two-opt-records",
  ],
  ["0001 0100 0001 0000 0000 0001 00 0001 0001 00 0029 1000 00018000 0000", "query"],
];

for (const [packet, finding] of FINDINGS) {
  test(`scan: ${packet.slice(0, 34)}… → ${finding}`, () => {
    const bytes = hex(packet);
    const into = newScan();
    assert.equal(scan(bytes, bytes.length, 0, into), finding);
    if (finding === "query") assert.deepEqual([into.payloadBytes, into.ednsVersion, into.dnssecOk], [4096, 1, true]);
  });
}

test("an answer belongs to a query by id, question and QR", () => {
  const asked = query({ id: 5, name: "A.lab", type: "A" });
  const reply = { ...asked, isResponse: true, questions: [{ name: "a.LAB", type: 1, class: 1 }] };
  assert.ok(answers(reply, asked));
  assert.ok(!answers({ ...reply, id: 6 }, asked));
  assert.ok(!answers({ ...reply, isResponse: false }, asked));
  assert.ok(!answers({ ...reply, questions: [] }, asked));
  assert.ok(!answers({ ...reply, questions: [{ name: "b.lab", type: 1, class: 1 }] }, asked));
});
