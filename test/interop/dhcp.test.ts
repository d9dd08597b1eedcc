import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { decode, encode, get, type Message } from "@firstlight/wire/dhcp4";
import { formatIPv4, isMalformed } from "@firstlight/wire";
import { ip } from "@firstlight/kit/dhcp4";
import { lab } from "../packet/dhcp/lab.ts";

/** The codec of npm's `dhcp`: written by others, for the basic header and simple options an independent opinion. */
interface Peer {
  parse(bytes: Buffer): {
    yiaddr: string;
    siaddr: string;
    giaddr: string;
    xid: number;
    op: number;
    options: Record<number, unknown>;
  };
  format(message: object): { _data: Buffer; _w: number };
}
const peer = createRequire(import.meta.url)("dhcp/lib/protocol.js") as Peer;

const discover = (options: Record<number, unknown>) => {
  const { _data, _w } = peer.format({
    op: 1,
    htype: 1,
    hlen: 6,
    hops: 1,
    xid: 0x6655,
    secs: 0,
    flags: 0x8000,
    ciaddr: "0.0.0.0",
    yiaddr: "0.0.0.0",
    siaddr: "0.0.0.0",
    giaddr: "127.64.0.1",
    chaddr: "02-F1-00-00-00-21",
    sname: "",
    file: "",
    options,
  });
  return ours(_data.subarray(0, _w));
};

function ours(bytes: Uint8Array): Message {
  const message = decode(bytes);
  assert.ok(!isMalformed(message), isMalformed(message) ? message.because : "");
  return message;
}

test("npm's dhcp writes what we read, reads what we answer, and gets a lease", async () => {
  await using on = await lab();
  const offer = await on.relay.ask(discover({ 53: 1, 12: "peer", 55: [1, 3, 6, 15] }));
  const read = peer.parse(Buffer.from(encode(offer)));
  assert.equal(read.op, 2);
  assert.equal(read.xid, 0x6655);
  assert.equal(read.yiaddr, formatIPv4(offer.yiaddr));
  assert.equal(read.giaddr, "127.64.0.1");
  assert.equal(read.options[53], 2);
  assert.equal(read.options[54], "127.0.0.1");
  assert.equal(read.options[1], "255.255.255.0");
  assert.deepEqual(read.options[3], ["127.64.0.1"]);
  assert.equal(read.options[51], 3600);
  assert.equal(read.options[15], "lab.test");
  const ack = await on.relay.ask(discover({ 53: 3, 50: read.yiaddr, 54: read.options[54] }));
  assert.equal(get(ack.options, "messageType"), "ACK");
  assert.equal(ack.yiaddr, ip(read.yiaddr));
});
