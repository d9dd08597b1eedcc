import assert from "node:assert/strict";
import { test } from "node:test";
import { BROADCAST } from "@firstlight/wire";
import { relayAgent } from "@firstlight/wire/dhcp4";
import { ip, packet } from "@firstlight/kit/dhcp4";
import { destination } from "../src/v4/delivery.ts";
import { client } from "./clients.ts";

const giaddr = ip("10.0.0.1");
const ciaddr = ip("10.0.0.9");
const from = { address: ip("10.0.0.2"), port: 4011 };
const local = client(packet({ messageType: "DISCOVER" }), from);
const relayed = client(packet({ messageType: "DISCOVER" }, { giaddr }), from);
const withPort = client(
  packet({ messageType: "DISCOVER", relayAgent: relayAgent({ relaySourcePort: true }) }, { giaddr, ciaddr }),
  from,
);
const renewing = client(packet({ messageType: "REQUEST" }, { ciaddr }), from);

test("through a relay everything goes back to giaddr, on its own port where it says so", () => {
  for (const type of ["OFFER", "ACK", "NAK"] as const) {
    assert.deepEqual(destination(relayed, type, 67), { address: giaddr, port: 67 });
    assert.deepEqual(destination(withPort, type, 67), { address: giaddr, port: 4011 });
  }
});

test("without a relay: a NAK is broadcast, a client with an address gets it there, the rest is broadcast", () => {
  assert.deepEqual(destination(renewing, "NAK", 67), { address: BROADCAST, port: 68 });
  assert.deepEqual(destination(renewing, "ACK", 67), { address: ciaddr, port: 68 });
  assert.deepEqual(destination(local, "OFFER", 67), { address: BROADCAST, port: 68 });
});

test("a laboratory's port answers where it was asked from", () => {
  assert.deepEqual(destination(renewing, "ACK", 6767), { address: ciaddr, port: 4011 });
});
