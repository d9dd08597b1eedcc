import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isMalformed } from "@firstlight/wire";
import { decode, get, type Message, options } from "@firstlight/wire/dhcp4";
import { readPcap } from "@firstlight/kit/pcap";
import { optionsOf, PROGRAMS } from "../../src/core/program.ts";
import { unusable } from "../../src/core/reply.ts";
import { ip, MAC } from "./messages.ts";

const captures = new URL("../../../wire/test/dhcp4/captures/", import.meta.url);

/** The nth DISCOVER of a real firmware. */
function discover(name: string, nth: number): Message {
  const datagrams = readPcap(readFileSync(new URL(`${name}.pcap`, captures)));
  assert.ok(!isMalformed(datagrams));
  const messages = datagrams.filter(({ dport }) => dport === 67).map(({ payload }) => decode(payload));
  const found = messages.filter(
    (message): message is Message => !isMalformed(message) && get(message.options, "messageType") === "DISCOVER",
  )[nth];
  assert.ok(found);
  return found;
}

const REAL: readonly [keyof typeof PROGRAMS, string, number][] = [
  ["uefiPxe", "uefi-x64-pxe-dnsmasq", 0],
  ["ipxeEfi", "uefi-x64-pxe-dnsmasq", 1],
  ["uefiHttp", "uefi-x64-httpboot-dnsmasq", 0],
  ["ipxeBios", "seabios-ipxe-rom", 0],
];

for (const [name, capture, nth] of REAL) {
  test(`${PROGRAMS[name].name} asks as the real one does in ${capture}`, () => {
    const [ours, real] = [optionsOf(PROGRAMS[name], MAC), discover(capture, nth).options];
    const codes = [...ours.keys()].toSorted((a, b) => a - b);
    assert.deepEqual(
      codes,
      [...real.keys()].filter((code) => code !== 53).toSorted((a, b) => a - b),
    );
    for (const code of [55, 57, 60, 77, 93, 94]) {
      assert.deepEqual(ours.get(code), real.get(code)?.slice(), `option ${code}`);
    }
  });
}

/** What a server offers, as far as firmware decides by it. */
const offer = (says: Parameters<typeof options>[0]): Message => ({
  op: 2,
  htype: 1,
  hlen: 6,
  hops: 0,
  xid: 1,
  secs: 0,
  flags: 0,
  ciaddr: 0,
  yiaddr: ip("127.66.0.16"),
  siaddr: 0,
  giaddr: 0,
  chaddr: new Uint8Array(16),
  sname: "",
  file: "",
  options: options({ serverId: ip("127.0.0.1"), ...says }),
});
const OURS = { vendorClass: "PXEClient", vendor: new Map([[6, Uint8Array.of(8)]]), bootFile: "snponly.efi" };
const URL_ = "http://127.0.0.1:7080/artefacts/ipxe/snponly.efi";

const OFFERS: readonly [keyof typeof PROGRAMS, Message, string | undefined][] = [
  ["linux", offer({}), undefined],
  ["linux", { ...offer({}), yiaddr: 0 }, "offer without an address"],
  ["linux", offer({ serverId: undefined }), "offer without option 54"],
  ["uefiPxe", offer(OURS), undefined],
  ["uefiPxe", { ...offer({}), file: "snponly.efi" }, undefined],
  ["uefiPxe", offer({}), "offer without a boot file"],
  ["uefiPxe", offer({ ...OURS, vendor: undefined }), "PXEClient offer without option 43"],
  ["uefiHttp", offer({ vendorClass: "HTTPClient", bootFile: URL_ }), undefined],
  ["uefiHttp", offer({ bootFile: URL_ }), "offer without option 60 HTTPClient"],
  ["uefiHttp", offer({ vendorClass: "HTTPClient", bootFile: "snponly.efi" }), "offer without a URL in option 67"],
  ["ipxeEfi", offer({ bootFile: "http://127.0.0.1/boot.ipxe" }), undefined],
  ["ipxeEfi", offer({}), "offer without a script"],
];

for (const [name, message, because] of OFFERS) {
  test(`${PROGRAMS[name].name} ${because === undefined ? "takes a good offer" : `takes no ${because}`}`, () => {
    assert.equal(unusable(PROGRAMS[name], message), because);
  });
}
