import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease } from "@firstlight/ipam";
import { lease, prefix, readMac, segment } from "@firstlight/kit";
import type { Message } from "@firstlight/wire/dhcp4";
import { ip, packet } from "@firstlight/kit/dhcp4";
import { decide, type View } from "../src/v4/decide.ts";
import { client } from "./clients.ts";

const OURS = ip("127.0.0.1");
const OTHER = ip("127.0.0.2");
const A = ip("127.64.0.12");
const B = ip("127.64.0.13");
const STRANGER = readMac("02:f1:00:00:00:99");
const home = segment();
const net = prefix();

function view(set: Partial<View> = {}): View {
  return {
    segment: home,
    prefixes: [net],
    own: undefined,
    named: undefined,
    candidate: () => ({ is: "candidate", address: A, prefix: net, known: false }),
    term: () => ({ leaseSeconds: home.leaseSeconds }),
    isAsked: false,
    ...set,
  };
}
const held = (set: Partial<Lease> = {}): Partial<View> => {
  const row = lease({ address: A, ...set });
  return { own: row, named: row };
};
const says = (message: Message, set?: Partial<View>) => {
  const effect = decide(client(message), view(set), (id) => id === OURS);
  return "because" in effect ? `${effect.do}: ${effect.because}` : effect.do;
};
const request = (said: Parameters<typeof packet>[0], head?: Parameters<typeof packet>[1]) =>
  packet({ messageType: "REQUEST", ...said }, head);

const draining: View["term"] = (_prefix, isRenewing) =>
  isRenewing ? { leaseSeconds: 90 } : { leaseSeconds: 300, because: "prefix-draining" };
const none = () => ({ is: "none", because: "device-not-expected" }) as const;

test("DISCOVER is offered the candidate, and the database is asked before anyone hears no", () => {
  const discover = packet({ messageType: "DISCOVER" });
  assert.equal(says(discover), "offer");
  assert.equal(says(discover, { candidate: none }), "ask: device-not-expected");
  assert.equal(says(discover, { candidate: none, isAsked: true }), "ignore: device-not-expected");
  assert.equal(says(discover, { segment: undefined }), "ignore: no-segment");
});

test("SELECTING: ours is committed, another's is left alone, a foreign address is refused", () => {
  assert.equal(says(request({ serverId: OURS, requestedAddress: A })), "commit");
  assert.equal(says(request({ serverId: OTHER, requestedAddress: A })), "ignore: request-names-another-server");
  assert.equal(says(request({ serverId: OURS })), "ignore: request-names-no-address");
  assert.equal(says(request({ serverId: OURS, requestedAddress: ip("10.0.0.1") })), "nak: address-off-segment");
});

const remembering: [string, Message][] = [
  ["INIT-REBOOT", request({ requestedAddress: A })],
  ["RENEWING", request({}, { ciaddr: A })],
  ["REBINDING", request({}, { ciaddr: A, giaddr: ip("127.64.0.1") })],
];
for (const [state, message] of remembering) {
  test(`${state}: what we remember is renewed, what we know better is refused, what we do not know is asked, then silence`, () => {
    assert.equal(says(message, held()), "commit");
    assert.equal(says(message, held({ expiresAt: 0 })), "commit", "expiry marks idle; the constraint decides");
    assert.equal(says(message, { own: lease({ address: B }) }), "nak: interface-holds-another-address");
    assert.equal(says(message, { named: lease({ address: A, identity: STRANGER }) }), "nak: address-bound-elsewhere");
    assert.equal(says(message), "ask: client-unknown");
    assert.equal(says(message, { isAsked: true }), "ignore: client-unknown");
    assert.equal(says(message, { ...held({ state: "declined" }), isAsked: true }), "ignore: client-unknown");
  });
}

test("who begins anew with an address of what drains is refused; who renews is given what is left", () => {
  const renewing = decide(client(request({}, { ciaddr: A })), view({ ...held(), term: draining }), (id) => id === OURS);
  assert.ok(renewing.do === "commit");
  assert.equal(renewing.bind.leaseSeconds, 90);
  assert.equal(says(request({ requestedAddress: A }), { ...held(), term: draining }), "nak: prefix-draining");
  assert.equal(says(request({ requestedAddress: A }), { term: draining }), "ask: client-unknown");
});

test("a client on the wrong network is told so in every state", () => {
  assert.equal(says(request({ requestedAddress: ip("10.0.0.1") })), "nak: address-off-segment");
  assert.equal(says(request({}, { ciaddr: ip("10.0.0.1"), giaddr: ip("127.64.0.1") })), "nak: address-off-segment");
});

test("RELEASE and DECLINE give back only what the interface holds", () => {
  const release = packet({ messageType: "RELEASE", serverId: OURS }, { ciaddr: A });
  const decline = packet({ messageType: "DECLINE", serverId: OURS, requestedAddress: A });
  for (const message of [release, decline]) {
    assert.equal(says(message, held()), "giveBack");
    assert.equal(says(message), "ask: release-of-foreign-address");
    assert.equal(
      says(message, { named: lease({ address: A, identity: STRANGER }), isAsked: true }),
      "ignore: release-of-foreign-address",
    );
  }
  const elsewhere = packet({ messageType: "RELEASE", serverId: OTHER }, { ciaddr: A });
  assert.equal(says(elsewhere, held()), "ignore: request-names-another-server");
});

test("INFORM is answered for an address of the segment", () => {
  assert.equal(says(packet({ messageType: "INFORM" }, { ciaddr: A })), "inform");
  assert.equal(says(packet({ messageType: "INFORM" })), "ignore: inform-without-address");
});

test("what is not for a server is left alone", () => {
  assert.equal(says(packet({ messageType: "OFFER" })), "ignore: not-for-a-server");
  assert.equal(says(packet({ messageType: "TYPE200" })), "ignore: not-for-a-server");
});
