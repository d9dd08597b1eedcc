import assert from "node:assert/strict";
import { test } from "node:test";
import { options, relayAgent } from "@firstlight/wire/dhcp4";
import { ip, packet } from "@firstlight/kit/dhcp4";
import { clientOf } from "../src/v4/client.ts";
import { captured, client } from "./clients.ts";

const told = (name: string, nth?: number) => {
  const { stage, arch, wantsHttp } = captured(name, nth);
  return { stage, arch, wantsHttp };
};

test("every firmware of the captures is told apart by what it sends", () => {
  assert.deepEqual(told("seabios-ipxe-rom"), { stage: "ipxe", arch: "x86-bios", wantsHttp: false });
  assert.deepEqual(told("uefi-x64-pxe-dnsmasq"), { stage: "rom", arch: "x64-efi", wantsHttp: false });
  assert.equal(told("uefi-x64-pxe-dnsmasq", 2).stage, "ipxe", "chained iPXE still says arch 7");
  assert.deepEqual(told("uefi-x64-httpboot-dnsmasq"), { stage: "rom", arch: "x64-http", wantsHttp: true });
  assert.deepEqual(told("uefi-aa64-httpboot-grub-dnsmasq").arch, "arm64-http");
  assert.deepEqual(told("uboot-arm64"), { stage: "rom", arch: "arm64-uboot", wantsHttp: false });
  assert.equal(told("linux-clients").stage, "os");
});

test("a counted user class is iPXE as well, and so is option 175 alone", () => {
  const counted = Uint8Array.from([3, 0x66, 0x6f, 0x6f, 4, ...new TextEncoder().encode("iPXE")]);
  assert.equal(client(packet({ messageType: "DISCOVER", userClass: counted })).stage, "ipxe");
  assert.equal(client(packet({ messageType: "DISCOVER", ipxe: new Map() })).stage, "ipxe");
  assert.equal(client(packet({ messageType: "DISCOVER", userClass: Uint8Array.of(255) })).stage, "os");
});

test("a relay's word finds the segment: link selection before giaddr; its port and server id are kept", () => {
  const giaddr = ip("10.98.1.1");
  const agent = relayAgent({ linkSelection: ip("10.5.0.0"), relaySourcePort: true, serverIdOverride: ip("10.98.1.9") });
  const facts = client(packet({ messageType: "DISCOVER", relayAgent: agent }, { giaddr }), {
    address: giaddr,
    port: 4000,
  });
  assert.equal(facts.link, ip("10.5.0.0"));
  assert.equal(facts.relayPort, 4000);
  assert.equal(facts.serverIdOverride, ip("10.98.1.9"));
  const plain = captured("udhcpc-relayed-opt82-serverside");
  assert.equal(plain.link, giaddr);
  assert.equal(new TextDecoder().decode(plain.relay?.circuitId), "e2e-r0");
});

test("option 82 from a client on our own link proves nothing", () => {
  const agent = relayAgent({ linkSelection: ip("10.5.0.0"), serverIdOverride: ip("10.5.0.1"), relaySourcePort: true });
  const facts = client(packet({ messageType: "DISCOVER", relayAgent: agent }));
  assert.equal(facts.link, ip("127.64.0.1"));
  assert.equal(facts.serverIdOverride, undefined);
  assert.equal(facts.relayPort, undefined);
  assert.equal(facts.relay, undefined);
});

test("a renewing client's address counts only when it speaks from it", () => {
  const ciaddr = ip("127.65.0.9");
  const renew = packet({ messageType: "REQUEST" }, { ciaddr });
  assert.equal(client(renew, { address: ciaddr, port: 68 }).link, ciaddr);
  assert.equal(client(renew, { address: ip("127.9.9.9"), port: 68 }).link, ip("127.64.0.1"));
});

const refused: [string, Parameters<typeof packet>][] = [
  ["not-a-request", [{ messageType: "ACK" }, { op: 2 }]],
  ["hardware-not-ethernet", [{ messageType: "DISCOVER" }, { htype: 32, hlen: 0 }]],
  ["hardware-address-not-unicast", [{ messageType: "DISCOVER" }, { mac: "01:00:5e:00:00:01" }]],
  ["hardware-address-not-unicast", [{ messageType: "DISCOVER" }, { mac: "00:00:00:00:00:00" }]],
  ["bootp-not-dhcp", [{ hostName: "old" }]],
  [
    "option-50-malformed",
    [{}, { options: new Map([...options({ messageType: "REQUEST" }), [50, new Uint8Array(3)]]) }],
  ],
];
for (const [because, [said, head]] of refused) {
  test(`no client: ${because}`, () => {
    const facts = clientOf(packet(said, head), { address: 0, port: 68 }, 0);
    assert.ok("because" in facts);
    assert.equal(facts.because, because);
  });
}
