import assert from "node:assert/strict";
import { test } from "node:test";
import { domain, prefix, segment } from "@firstlight/kit";
import { formatIPv4 } from "@firstlight/wire";
import { decode, encode, fit, get, getPxe, type Message } from "@firstlight/wire/dhcp4";
import { ip, packet, read } from "@firstlight/kit/dhcp4";
import { bootOf } from "../src/v4/boot.ts";
import type { Client } from "../src/v4/client.ts";
import { grant, refusal, withRelayEcho } from "../src/v4/reply.ts";
import { captured, client } from "./clients.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SCRIPT = `http://127.0.0.1:8080/t/${TRACE}/boot.ipxe`;
const source = { nextServer: ip("127.0.0.3"), bootUrl: "http://127.0.0.1:8080", files: {} };
const home = segment({
  options: {
    domainNameServers: ["127.0.0.53"],
    ntpServers: ["127.0.0.4"],
    staticRoutes: [{ to: "10.0.0.0/8", via: "127.64.0.2" }],
  },
});

/** What goes out to this client, as its firmware would read it. */
function offered(to: Client, leaseSeconds: number | undefined = 3600, of = home): Message {
  const message = grant(to, {
    type: "OFFER",
    address: ip("127.64.0.12"),
    leaseSeconds,
    segment: of,
    prefix: prefix().prefix,
    gateway: ip("127.64.0.1"),
    domain: domain(),
    label: "node-1",
    serverId: ip("127.0.0.1"),
    nextServer: source.nextServer,
    boot: bootOf(to, source, TRACE),
  });
  return read(encode(fit(withRelayEcho(message, to.message), to.maxBytes).message));
}

const boots: [string, Client, Record<string, unknown>][] = [
  [
    "EDK2 PXE",
    captured("uefi-x64-pxe-dnsmasq"),
    { file: `t/${TRACE}/snponly.efi`, vendorClass: "PXEClient", sname: "127.0.0.3", discovery: 8 },
  ],
  [
    "EDK2 PXE on arm64",
    captured("uefi-aa64-pxe-grub-dnsmasq"),
    { file: `t/${TRACE}/snponly-arm64.efi`, vendorClass: "PXEClient", sname: "127.0.0.3", discovery: 8 },
  ],
  [
    "iPXE in a BIOS ROM",
    captured("seabios-ipxe-rom"),
    { file: SCRIPT, vendorClass: undefined, sname: "", discovery: undefined },
  ],
  [
    "chained iPXE",
    captured("uefi-x64-pxe-dnsmasq", 2),
    { file: SCRIPT, vendorClass: undefined, sname: "", discovery: undefined },
  ],
];
for (const [who, to, expected] of boots) {
  test(`${who} gets exactly what it needs to go on`, () => {
    const { file, sname, siaddr, options } = offered(to);
    const vendor = get(options, "vendor");
    const discovery = vendor instanceof Map ? getPxe(vendor, "discoveryControl") : undefined;
    assert.deepEqual({ file, sname, vendorClass: get(options, "vendorClass"), discovery }, expected);
    assert.equal(get(options, "bootFile"), file);
    assert.equal(options.get(67)?.at(-1), 0, "EDK2 writes a NUL behind option 67: it must be ours");
    assert.equal(formatIPv4(siaddr), "127.0.0.3");
  });
}

for (const [name, file] of [
  ["uefi-x64-httpboot-dnsmasq", "snponly.efi"],
  ["uefi-aa64-httpboot-grub-dnsmasq", "snponly-arm64.efi"],
] as const) {
  test(`${name}: UEFI HTTP boot gets an absolute URI and its class back`, () => {
    const reply = offered(captured(name));
    assert.equal(get(reply.options, "bootFile"), `http://127.0.0.1:8080/t/${TRACE}/artefacts/ipxe/${file}`);
    assert.equal(get(reply.options, "vendorClass"), "HTTPClient");
    assert.equal(reply.file, "");
    assert.ok(!reply.options.has(43));
  });
}

test("a running system, U-Boot and an unknown architecture load nothing, and the reason is known", () => {
  assert.equal(offered(captured("linux-clients")).options.has(67), false);
  assert.equal(bootOf(captured("uboot-arm64"), source, TRACE).because, "no-boot-file");
  const odd = client(packet({ messageType: "DISCOVER", clientArch: [999] }));
  assert.equal(bootOf(odd, source, TRACE).because, "no-boot-file");
  const files = { ARCH999: "odd.efi" };
  assert.equal(bootOf(odd, { ...source, files }, TRACE).bootFile, `t/${TRACE}/odd.efi`, "the site may know better");
});

test("a reply says who, where and how long, echoes identity, and ends with the relay's option as it came", () => {
  const to = captured("networkd-relayed-opt82-serverside");
  const { options, xid, giaddr, flags, yiaddr } = offered(to);
  assert.deepEqual([xid, giaddr, flags], [to.message.xid, to.message.giaddr, to.message.flags]);
  assert.equal(formatIPv4(yiaddr), "127.64.0.12");
  assert.deepEqual(get(options, "clientId"), to.clientId, "RFC 6842");
  assert.deepEqual(options.get(82), to.message.options.get(82));
  assert.equal([...options.keys()].at(-1), 82);
  assert.deepEqual([...options.keys()].slice(0, 2), [53, 54]);
  assert.deepEqual(
    [get(options, "leaseTime"), get(options, "renewalTime"), get(options, "rebindingTime")],
    [3600, 1800, 3150],
  );
  assert.deepEqual([get(options, "hostName"), get(options, "domainName")], ["node-1", "lab.test"]);
  assert.deepEqual(get(options, "routers"), [ip("127.64.0.1")]);
  assert.deepEqual(get(options, "classlessRoutes"), [
    { address: ip("10.0.0.0"), length: 8, router: ip("127.64.0.2") },
    { address: 0, length: 0, router: ip("127.64.0.1") },
  ]);
  assert.equal(get(options, "broadcastAddress"), ip("127.64.0.255"));
});

test("clients renew at the segment's t1Percent of the lease, and rebind at 87.5 % whatever it is", () => {
  const to = captured("linux-clients");
  const times = (t1Percent: number): unknown[] => {
    const { options } = offered(to, 3601, segment({ t1Percent }));
    return [get(options, "renewalTime"), get(options, "rebindingTime")];
  };
  assert.deepEqual(times(25), [900, 3150]);
  assert.deepEqual(times(50), [1800, 3150]);
  assert.deepEqual(times(87), [3132, 3150]);
});

test("no reply is larger than its client accepts, and every one of ours is read again", () => {
  for (const name of ["uefi-x64-pxe-dnsmasq", "seabios-ipxe-rom", "linux-clients", "udhcpc-relayed-opt82-serverside"]) {
    const to = captured(name);
    const long = { ...source, bootUrl: `http://127.0.0.1:8080/${"x".repeat(300)}` };
    const reply = grant(to, {
      type: "ACK",
      address: 1,
      leaseSeconds: 60,
      segment: { ...home, options: { domainSearch: Array.from({ length: 40 }, (_, i) => `zone-${i}.lab.test`) } },
      prefix: prefix().prefix,
      gateway: 2,
      domain: domain(),
      label: "node-1",
      serverId: 3,
      nextServer: 4,
      boot: bootOf(to, long, TRACE),
    });
    const bytes = encode(fit(withRelayEcho(reply, to.message), to.maxBytes).message);
    assert.ok(bytes.length <= to.maxBytes && bytes.length >= 300, `${name}: ${bytes.length}`);
    assert.ok(!("because" in decode(bytes)));
  }
});

test("a NAK says why and little else", () => {
  const to = captured("udhcpc-relayed-opt82-serverside", 2);
  const reply = read(encode(withRelayEcho(refusal(to, 7, "address-off-segment"), to.message)));
  assert.deepEqual([...reply.options.keys()], [53, 54, 56, 61, 82]);
  assert.equal(get(reply.options, "message"), "address-off-segment");
  assert.equal(reply.flags & 0x8000, 0x8000, "the relay shall broadcast it");
  assert.equal(reply.yiaddr + reply.siaddr + reply.ciaddr, 0);
});
