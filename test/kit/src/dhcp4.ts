import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { addressFrom, isMalformed, macBytes, parseMac } from "@firstlight/wire";
import { decode, type Message, options } from "@firstlight/wire/dhcp4";
import { type Captured, readPcap } from "@firstlight/kit/pcap";

const captures = new URL("../../../packages/wire/test/dhcp4/captures/", import.meta.url);

/** The packets of a capture that clients and relays sent to a server. `name` is a file of packages/wire/test/dhcp4/captures. */
export function requestsIn(name: string): Captured[] {
  const read = readPcap(readFileSync(new URL(`${name}.pcap`, captures)));
  assert.ok(!isMalformed(read));
  return read.filter(({ dport, payload }) => dport === 67 && payload[0] === 1);
}

/** Decodes a packet; fails the test where it is malformed. */
export function read(bytes: Uint8Array): Message {
  const message = decode(bytes);
  assert.ok(!isMalformed(message));
  return message;
}

/** A client's packet with these options: `packet({ messageType: "DISCOVER" }, { ciaddr })`. The default MAC is the lab's. */
export function packet(
  values: Parameters<typeof options>[0],
  header: Partial<Message> & { mac?: string } = {},
): Message {
  const { mac = "02:f1:00:00:00:01", ...fields } = header;
  const hardware = parseMac(mac);
  assert.ok(!isMalformed(hardware));
  const chaddr = new Uint8Array(16);
  chaddr.set(macBytes(hardware));
  return {
    op: 1,
    htype: 1,
    hlen: 6,
    hops: 0,
    xid: 0x1234,
    secs: 0,
    flags: 0,
    ciaddr: 0,
    yiaddr: 0,
    siaddr: 0,
    giaddr: 0,
    chaddr,
    sname: "",
    file: "",
    options: options(values),
    ...fields,
  };
}

/** An IPv4 address as a number. */
export function ip(text: string): number {
  const address = addressFrom(Uint8Array.from(text.split(".").map(Number)));
  assert.ok(typeof address === "number");
  return address;
}
