import assert from "node:assert/strict";
import { test } from "node:test";
import { type Endpoint, listen, type Port } from "@firstlight/datagram";
import { isMalformed } from "@firstlight/wire";
import { decode, encode, get, type Message, options, relayAgent } from "@firstlight/wire/dhcp4";
import { start } from "../src/core/dhcp.ts";
import { PROGRAMS } from "../src/core/program.ts";
import { openRelay, type Relay } from "../src/relay.ts";
import { ip, MAC, reply, sent } from "./core/messages.ts";

const skip = process.platform === "linux" ? false : "only Linux lets one bind any address of 127.0.0.0/8";
const GATEWAY = ip("127.75.0.1");

/** A relay before a server that the test plays itself. */
async function lab(): Promise<AsyncDisposable & { relay: Relay; server: Port; next(): Promise<[Message, Endpoint]> }> {
  const server = await listen({ address: 0x7f000001, port: 0, engine: "dgram" });
  const relay = await openRelay("host", GATEWAY, server.local);
  const next = async (): Promise<[Message, Endpoint]> => {
    for await (const [datagram] of server) {
      const message = decode(datagram!.bytes.slice());
      assert.ok(!isMalformed(message));
      return [message, datagram!.from];
    }
    throw new Error("the server's port is closed");
  };
  return {
    relay,
    server,
    next,
    [Symbol.asyncDispose]: async () => {
      await relay[Symbol.asyncDispose]();
      await server.close();
    },
  };
}

const discover = (mac: number): Message => sent(start(PROGRAMS.linux, mac, 1, 0)[1]);
const offer = (request: Message): Message => {
  const echo = get(request.options, "relayAgent");
  return reply(request, { messageType: "OFFER", ...(echo && !isMalformed(echo) && { relayAgent: echo }) });
};

test("each client receives its own replies without option 82", { skip }, async () => {
  await using on = await lab();
  const answers = [Promise.withResolvers<Message>(), Promise.withResolvers<Message>()];
  using first = on.relay.attach(MAC, 1, answers[0]!.resolve);
  using second = on.relay.attach(MAC + 16, 2, answers[1]!.resolve);
  first.broadcast(discover(MAC));
  const [a, from] = await on.next();
  second.broadcast(discover(MAC + 16));
  const [b] = await on.next();
  assert.deepEqual(from, on.relay.local, "from the relay's port, where it wants its answers (RFC 8357)");
  for (const request of [b, a]) on.server.send(encode(offer(request)), on.relay.local); // the second first
  const heard = await Promise.all(answers.map(({ promise }) => promise));
  assert.deepEqual(
    heard.map(({ xid }) => xid),
    [discover(MAC).xid, discover(MAC + 16).xid],
  );
  for (const message of heard) {
    assert.equal(get(message.options, "messageType"), "OFFER");
    assert.ok(!message.options.has(82), "RFC 3046 §2.1");
  }
});

test("a reply for no client is dropped and counted by reason", { skip }, async () => {
  await using on = await lab();
  const heard: Message[] = [];
  const last = Promise.withResolvers<void>();
  using client = on.relay.attach(MAC, 1, (message) => {
    heard.push(message);
    last.resolve();
  });
  client.broadcast(discover(MAC));
  const [request] = await on.next();
  const good = offer(request);
  const changed = options({ relayAgent: relayAgent({ circuitId: new TextEncoder().encode("swp9") }) });
  const bad: (Message | Uint8Array)[] = [
    Uint8Array.of(1, 2, 3),
    { ...good, op: 1 },
    { ...good, giaddr: GATEWAY + 1 },
    { ...good, xid: good.xid ^ 1 },
    { ...good, chaddr: Uint8Array.from(good.chaddr, (byte) => byte ^ 1) },
    { ...good, options: new Map([...good.options, ...changed]) },
  ];
  for (const each of bad) on.server.send(each instanceof Uint8Array ? each : encode(each), on.relay.local);
  on.server.send(encode(good), on.relay.local);
  await last.promise;
  assert.equal(heard.length, 1);
  assert.deepEqual(on.relay.counters, {
    forwarded: 1,
    delivered: 1,
    "too many hops": 0,
    malformed: 1,
    "not a reply": 1,
    "another relay": 1,
    nobody: 2,
    "circuit changed": 1,
  });
});

test("an unplugged client receives nothing more", { skip }, async () => {
  await using on = await lab();
  const [before, after] = [Promise.withResolvers<Message>(), Promise.withResolvers<Message>()];
  const first = on.relay.attach(MAC, 1, before.resolve);
  using second = on.relay.attach(MAC, 1, after.resolve); // iPXE takes the wire over from its ROM
  first[Symbol.dispose](); // late: it must not unplug the one after it
  second.broadcast(discover(MAC));
  on.server.send(encode(offer((await on.next())[0])), on.relay.local);
  assert.equal((await after.promise).xid, discover(MAC).xid);
});

test("a packet with sixteen hops is not forwarded", { skip }, async () => {
  await using on = await lab();
  using client = on.relay.attach(MAC, 1, () => {});
  client.broadcast({ ...discover(MAC), hops: 16 });
  assert.deepEqual([on.relay.counters.forwarded, on.relay.counters["too many hops"]], [0, 1]); // RFC 1542 §4.1.1
});
