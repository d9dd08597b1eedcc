import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import {
  clientArchs,
  decode,
  encode,
  get,
  getRelay,
  type Message,
  options,
  relayAgent,
} from "../../src/dhcp4/index.ts";
import { isMalformed, parseIPv4 } from "../../src/index.ts";
import { readPcap } from "@firstlight/kit/pcap";

const folder = new URL("captures/", import.meta.url);
const text = (bytes: Uint8Array | undefined) => new TextDecoder("latin1").decode(bytes);

/** The first message of a capture sent to a server. */
function first(name: string): Message {
  return messages(name).find(({ op }) => op === 1)!;
}

function messages(name: string): Message[] {
  const datagrams = readPcap(readFileSync(new URL(name, folder)));
  assert.ok(!isMalformed(datagrams));
  return datagrams
    .filter(({ sport, dport }) => [sport, dport].some((port) => port === 67))
    .map(({ payload }) => {
      const message = decode(payload);
      assert.ok(!isMalformed(message), `${name}: ${isMalformed(message) ? message.because : ""}`);
      return message;
    });
}

test("every DHCP packet of every capture is read, and written again means the same", () => {
  let count = 0;
  for (const name of readdirSync(folder)) {
    for (const message of messages(name)) {
      const again = decode(encode(message));
      assert.ok(!isMalformed(again));
      assert.deepEqual(again.options, message.options);
      count++;
    }
  }
  assert.ok(count > 100, `only ${count} packets`);
});

test("iPXE says its user class raw, not counted as RFC 3004 asks", () => {
  const { options } = first("seabios-ipxe-rom.pcap");
  assert.equal(text(get(options, "userClass") as Uint8Array), "iPXE");
  assert.deepEqual(get(options, "clientArch"), [clientArchs.of["x86-bios"]]);
  assert.ok(get(options, "ipxe") instanceof Map);
});

test("UEFI HTTP boot asks for options that do not exist", () => {
  const { options, flags } = first("uefi-x64-httpboot-dnsmasq.pcap");
  assert.equal(get(options, "vendorClass"), "HTTPClient:Arch:00016:UNDI:003000");
  assert.deepEqual(get(options, "clientArch"), [16]);
  assert.ok((get(options, "parameterRequestList") as number[]).includes(235), "EDK2 sends one byte it never wrote");
  assert.equal(flags, 0x8000);
});

test("a relay's circuit is found in option 82", () => {
  const { options, giaddr, hops } = first("udhcpc-relayed-opt82-serverside.pcap");
  assert.equal(giaddr, parseIPv4("10.98.1.1"));
  assert.equal(hops, 1);
  const relay = get(options, "relayAgent") as ReadonlyMap<number, Uint8Array>;
  assert.equal(typeof text(getRelay(relay, "circuitId") as Uint8Array), "string");
  assert.ok((getRelay(relay, "circuitId") as Uint8Array).length > 0);
});

const header: Message = {
  op: 2,
  htype: 1,
  hlen: 6,
  hops: 0,
  xid: 0x12345678,
  secs: 0,
  flags: 0,
  ciaddr: 0,
  yiaddr: 0x0a000005,
  siaddr: 0,
  giaddr: 0,
  chaddr: new Uint8Array(16),
  sname: "",
  file: "",
  options: new Map(),
};

test("53 comes first, 54 second, 82 last, then END and zeros", () => {
  const bytes = encode({
    ...header,
    options: options({
      relayAgent: relayAgent({ circuitId: Uint8Array.of(0xff, 0) }),
      leaseTime: 60,
      serverId: 0x0a000001,
      messageType: "ACK",
    }),
  });
  assert.equal(
    Buffer.from(bytes.subarray(236, 272)).toString("hex"),
    ["63825363", "350105", "36040a000001", "33040000003c", "52040102ff00", "ff", "00".repeat(10)].join(""),
  );
  assert.equal(bytes.length, 300);
});

test("overloaded fields are read as the options they hold, in the order of RFC 2131 §4.1", () => {
  const bytes = encode({ ...header, options: new Map([[52, Uint8Array.of(3)]]) }); // both fields
  bytes.set([12, 1, 0x62, 255], 108); // file: hostName "b"
  bytes.set([12, 1, 0x63, 255], 44); // sname: hostName "c", joined behind by RFC 3396
  bytes.set([12, 1, 0x61, 255], 243); // options: hostName "a"
  const message = decode(bytes);
  assert.ok(!isMalformed(message));
  assert.equal(get(message.options, "hostName"), "abc");
  assert.equal(message.file + message.sname, "");
  assert.ok(!message.options.has(52));
});

const nonsense: [string, (bytes: Uint8Array) => Uint8Array][] = [
  ["packet-too-short", (bytes) => bytes.subarray(0, 239)],
  ["op-unknown", (bytes) => bytes.with(0, 3)],
  ["hardware-address-too-long", (bytes) => bytes.with(2, 17)],
  ["no-dhcp-cookie", (bytes) => bytes.with(236, 0)],
  ["option-past-field", (bytes) => bytes.with(240, 53).with(241, 200)],
];
for (const [because, spoil] of nonsense) {
  test(`Malformed: ${because}`, () => {
    const read = decode(spoil(encode(header)));
    assert.ok(isMalformed(read));
    assert.equal(read.because, because);
  });
}

test("a search list may be compressed, but never in circles", () => {
  const list = Uint8Array.of(3, 0x6c, 0x61, 0x62, 0, 1, 0x78, 0xc0, 0); // lab. x.<0>
  assert.deepEqual(get(new Map([[119, list]]), "domainSearch"), ["lab", "x.lab"]);
  assert.ok(isMalformed(get(new Map([[119, Uint8Array.of(0xc0, 0)]]), "domainSearch")));
  assert.ok(isMalformed(get(new Map([[119, Uint8Array.of(1, 0x61, 0xc0, 0)]]), "domainSearch")));
});
