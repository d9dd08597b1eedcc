import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as law, integer, property } from "fast-check";
import { get, type Message } from "@firstlight/wire/dhcp4";
import { type Client, type Effect, keep, start, step } from "../../src/core/dhcp.ts";
import { PROGRAMS } from "../../src/core/program.ts";
import { ADDRESS, ip, MAC, notes, reply, seconds, sent, SERVER } from "./messages.ts";

const type = ({ options }: Message) => get(options, "messageType");
const hear = (client: Client, message: Message, now: number) => step(client, { is: "message", message }, now);
const tick = (client: Client, now: number) => step(client, { is: "tick" }, now);

/** A Linux client that has been offered ADDRESS and asks for it. */
function requesting(now = 0): [Client, Message] {
  const [selecting, effects] = start(PROGRAMS.linux, MAC, 1, now);
  const [client, asked] = hear(selecting, reply(sent(effects), { messageType: "OFFER" }), now);
  return [client, sent(asked)];
}

/** A client that holds ADDRESS for an hour from 0. */
function bound(): Client {
  const [client, request] = requesting();
  return hear(client, reply(request, { messageType: "ACK" }), 0)[0];
}

test("DISCOVER, OFFER, REQUEST, ACK: it holds the address, for as long as it was promised", () => {
  let [client, effects] = start(PROGRAMS.linux, MAC, 1, 1000);
  const discover = sent(effects);
  assert.deepEqual([type(discover), discover.ciaddr, discover.secs, discover.flags], ["DISCOVER", 0, 0, 0]);
  [client, effects] = hear(client, reply(discover, { messageType: "OFFER" }), 1200);
  const request = sent(effects);
  assert.deepEqual([type(request), request.xid, request.ciaddr], ["REQUEST", discover.xid, 0]);
  assert.equal(get(request.options, "requestedAddress"), ADDRESS);
  assert.equal(get(request.options, "serverId"), SERVER);
  const ack = reply(request, { messageType: "ACK", hostName: "r1-m01", domainName: "rack.internal" });
  [client, effects] = hear(client, ack, 2000);
  assert.equal(client.is, "bound");
  const [told] = effects;
  assert.ok(told?.do === "bound");
  const { lease } = told;
  assert.deepEqual([lease.address, lease.hostName, lease.domainName], [ADDRESS, "r1-m01", "rack.internal"]);
  assert.deepEqual([lease.renewAt, lease.rebindAt, lease.expiresAt], [1_802_000, 3_152_000, 3_602_000]);
  assert.equal(client.wakeAt, lease.renewAt);
});

test("an unanswered DISCOVER is sent again after 4, 8, 16, 32, 32 seconds, each a second more or less", () => {
  law(
    property(integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
      let now = 0;
      let [client, effects] = start(PROGRAMS.uefiPxe, MAC, seed, now);
      const { xid } = sent(effects);
      for (const about of [4, 8, 16, 32, 32]) {
        const waits = seconds(client, now);
        assert.ok(Math.abs(waits - about) <= 1, `${waits} s, not about ${about}`);
        assert.deepEqual(tick(client, client.wakeAt - 1), [client, []], "not before its time");
        now = client.wakeAt;
        [client, effects] = tick(client, now);
        assert.deepEqual([type(sent(effects)), sent(effects).xid], ["DISCOVER", xid]);
        assert.equal(sent(effects).secs, Math.floor(now / 1000));
        assert.match(notes(effects)[0]!, /^unanswered: no answer to DISCOVER number \d$/);
      }
    }),
    { numRuns: 50 },
  );
});

test("a REQUEST nobody answers is given up after four, and the client begins anew with another xid", () => {
  let [client, request] = requesting();
  for (let tries = 1; tries < 4; tries++) {
    const [next, effects] = tick(client, client.wakeAt);
    assert.deepEqual([type(sent(effects)), sent(effects).xid], ["REQUEST", request.xid]);
    client = next;
  }
  const [anew, effects] = tick(client, client.wakeAt);
  assert.equal(anew.is, "selecting");
  assert.equal(type(sent(effects)), "DISCOVER");
  assert.notEqual(sent(effects).xid, request.xid);
});

test("a NAK sends it back to DISCOVER after a second, with the server's reason told", () => {
  const [client, request] = requesting();
  const nak = reply(request, { messageType: "NAK", message: "address is bound to another interface" }, 0);
  let [next, effects] = hear(client, nak, 500);
  assert.deepEqual(effects, [{ do: "note", step: "refused", because: "address is bound to another interface" }]);
  assert.deepEqual(tick(next, 1499)[1], []);
  [next, effects] = tick(next, 1500);
  assert.equal(type(sent(effects)), "DISCOVER");
  assert.notEqual(sent(effects).xid, request.xid);
  assert.equal(get(sent(effects).options, "requestedAddress"), undefined, "the refused address is forgotten");
  assert.equal(hear(next, nak, 1600)[1][0]?.do, "note", "the same NAK again is of another exchange");
});

test("a renewal is a unicast from the address to its server at T1, and goes on for another lease", () => {
  const client = bound();
  assert.deepEqual(tick(client, 1_799_999)[1], []);
  const [renewing, effects] = tick(client, 1_800_000);
  assert.equal(renewing.is, "renewing");
  const [ask] = effects;
  assert.ok(ask?.do === "unicast");
  assert.deepEqual([ask.from, ask.to], [ADDRESS, SERVER]);
  assert.deepEqual([type(ask.message), ask.message.ciaddr, ask.message.secs], ["REQUEST", ADDRESS, 0]);
  // RFC 2131 table 5: neither of these in RENEWING
  assert.equal(get(ask.message.options, "requestedAddress"), undefined);
  assert.equal(get(ask.message.options, "serverId"), undefined);
  const [again, told] = hear(renewing, reply(ask.message, { messageType: "ACK" }), 1_800_100);
  assert.equal(again.is, "bound");
  assert.ok(told[0]?.do === "bound");
  assert.equal(told[0].lease.expiresAt, 1_800_100 + 3_600_000);
});

test("a server that is away: renewed by unicast, from T2 by broadcast, and lost when the time is over", () => {
  let [client, now] = [bound(), 0];
  const story: string[] = [];
  let effects: Effect[] = [];
  while (client.is !== "selecting") {
    now = client.wakeAt;
    [client, effects] = tick(client, now);
    story.push(`${now / 60_000} ${effects.find(({ do: what }) => what !== "note")!.do}`);
  }
  assert.deepEqual(story, [
    "30 unicast",
    "41.25 unicast",
    "46.875 unicast",
    "49.6875 unicast",
    "51.09375 unicast",
    "52.09375 unicast",
    "52.5 broadcast",
    "56.25 broadcast",
    "58.125 broadcast",
    "59.125 broadcast",
    "60 broadcast",
  ]);
  assert.deepEqual(notes(effects), ["expired: nobody renewed the lease"]);
  assert.equal(type(sent(effects)), "DISCOVER");
});

test("a NAK while renewing gives the address up at once", () => {
  const [renewing, effects] = tick(bound(), 1_800_000);
  const [client] = hear(renewing, reply(sent(effects), { messageType: "NAK" }, 0), 1_800_100);
  assert.equal(client.is, "selecting");
  assert.equal(client.lease, undefined);
});

test("a client that kept a lease over its boot renews it when its time comes, not before", () => {
  const lease = bound().lease!;
  const client = keep(PROGRAMS.linux, MAC, 9, lease);
  assert.deepEqual(tick(client, lease.renewAt - 1), [client, []]);
  assert.equal(tick(client, lease.renewAt)[1][0]?.do, "unicast");
});

test("what is not its answer is ignored, and said why", () => {
  const [client, request] = requesting();
  const ack = reply(request, { messageType: "ACK" });
  const chaddr = Uint8Array.from(ack.chaddr, (byte, at) => (at === 5 ? byte + 1 : byte));
  const cases: [Message, string][] = [
    [{ ...ack, op: 1 }, "not a reply"],
    [{ ...ack, xid: ack.xid ^ 1 }, "reply of another exchange"],
    [{ ...ack, chaddr }, "reply to another machine"],
    [reply(request, { messageType: "ACK", serverId: ip("127.0.0.9") }), "reply of a server not chosen"],
    [reply(request, { messageType: "NAK", serverId: ip("127.0.0.9") }), "reply of a server not chosen"],
    [reply(request, { messageType: "OFFER" }), "OFFER while requesting"],
    [reply(request, { messageType: "ACK" }, 0), "ACK without address or time"],
    [reply(request, { messageType: "ACK", leaseTime: 0 }), "ACK without address or time"],
    [reply(request, { messageType: "ACK" }, ADDRESS + 1), "ACK of an address not asked for"],
  ];
  for (const [message, because] of cases) {
    assert.deepEqual(hear(client, message, 0), [client, [{ do: "note", step: "ignored", because }]]);
  }
});

const first = (mac: number, seed: number): Client => start(PROGRAMS.linux, mac, seed, 0)[0];

test("one seed, one rack: xids and waits are the same again, and differ between machines", () => {
  assert.deepEqual(first(MAC, 1), first(MAC, 1));
  const xids = Array.from({ length: 2000 }, (_, n) => first(MAC + n, 1).xid);
  assert.ok(new Set(xids).size >= 1999); // of 2^32: a collision is possible, two are not
});
