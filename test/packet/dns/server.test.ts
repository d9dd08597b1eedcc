import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { answerTexts, framed, lease, name, RACK_ROWS } from "@firstlight/kit";
import { encode, query, RCODES } from "@firstlight/wire/dns";
import { lab, overTcp, overUdp, question, until } from "./lab.ts";

const WIDE = Array.from({ length: 120 }, (_, n) =>
  name({ id: 100 + n, owner: "wide.lab.test", data: `127.64.1.${n}`, ttlSeconds: 30 }),
);

test("a machine's name resolves both ways, over UDP and TCP alike", async () => {
  await using on = await lab();
  const pointer = { name: "12.0.64.127.in-addr.arpa", type: "PTR" } as const;
  assert.deepEqual(answerTexts(await on.udp({})), ["A 127.64.0.12"]);
  assert.deepEqual(answerTexts(await on.udp(pointer)), ["PTR 127-64-0-12.lab.test"]);
  const replies = await on.tcp({}, pointer);
  assert.deepEqual(replies.map(answerTexts), [["A 127.64.0.12"], ["PTR 127-64-0-12.lab.test"]]);
  assert.equal(on.running.endpoints["udp"], on.running.endpoints["tcp"]);
});

test("a lease committed elsewhere is answered as soon as the feed has it", async () => {
  await using on = await lab();
  assert.equal((await on.udp({ name: "127-64-0-13.lab.test" })).rcode, RCODES.of.NXDOMAIN);
  on.site.source.push(lease({ address: "127.64.0.13" }));
  await on.site.settled();
  assert.deepEqual(answerTexts(await on.udp({ name: "127-64-0-13.lab.test" })), ["A 127.64.0.13"]);
  await on.counted("firstlight_dns_serial 1");
});

test("what UDP truncates TCP has whole", async () => {
  await using on = await lab([...RACK_ROWS, ...WIDE]);
  const cut = await on.udp({ name: "wide.lab.test" });
  assert.deepEqual([cut.isTruncated, cut.answers, cut.edns !== undefined], [true, [], true]);
  const [whole] = await on.tcp({ name: "wide.lab.test" });
  assert.deepEqual([whole?.isTruncated, whole?.answers.length], [false, 120]);
});

test("queries sent at once on one connection are answered in order", async () => {
  await using on = await lab();
  const asks = Array.from({ length: 300 }, (_, n) =>
    question({ id: n, name: n % 2 === 0 ? "www.lab.test" : "no.lab.test" }),
  );
  const replies = await overTcp(on.port, ...asks);
  assert.deepEqual(
    replies.map(({ id }) => id),
    asks.map((_, n) => n),
  );
  await on.counted('firstlight_dns_replies_total{transport="tcp",type="A",rcode="NXDOMAIN"} 150');
});

test("a client that asks much and reads nothing is asked nothing more; the others are served, and it is when it reads", async () => {
  await using on = await lab([...RACK_ROWS, ...WIDE]);
  const greedy = connect(on.port, "127.0.0.1");
  greedy.pause();
  const asked = 20_000; // forty megabytes of replies: more than the kernel's buffers hold
  const one = framed(question({ name: "wide.lab.test" }));
  greedy.write(Buffer.concat(Array.from({ length: asked }, () => one)));
  assert.equal((await on.tcp({})).length, 1);
  let bytes = 0;
  const [reply] = await on.tcp({ name: "wide.lab.test" });
  assert.equal(reply?.answers.length, 120);
  const answered = /transport="tcp",type="A",rcode="NOERROR"} (\d+)/.exec(await on.metrics.metrics());
  assert(Number(answered?.[1]) < asked, "what cannot be sent is not even looked up");
  greedy.on("data", (chunk: Uint8Array) => (bytes += chunk.length)).resume();
  await until(() => bytes >= asked * (2 + 31 + 120 * 16));
  greedy.destroy();
});

test("connections are bounded, in all and by address, and each refusal has its reason", async () => {
  await using on = await lab(RACK_ROWS, { tcp: { connections: 3, perAddress: 2 } });
  const open = (localAddress: string): Socket =>
    connect({ port: on.port, host: "127.0.0.1", localAddress }).on("error", () => {});
  const held = [open("127.0.0.1"), open("127.0.0.1")];
  await on.counted("firstlight_dns_connections 2");
  held.push(open("127.0.0.1"));
  await on.counted('because="connections-per-address-limit"} 1');
  held.push(open("127.0.0.2"));
  await on.counted("firstlight_dns_connections 3");
  held.push(open("127.0.0.3"));
  await on.counted('because="connections-limit"} 1');
  for (const socket of held) socket.destroy();
  await on.counted("firstlight_dns_connections 0");
  assert.equal((await on.tcp({})).length, 1);
});

test("a connection on which nothing whole comes is ended, as is one that speaks no DNS", async () => {
  await using on = await lab(RACK_ROWS, { tcp: { idleSeconds: 1 } });
  const idle = connect(on.port, "127.0.0.1");
  idle.write(Uint8Array.of(0, 40, 1, 2, 3)); // begun and never finished
  const huge = connect(on.port, "127.0.0.1");
  huge.on("error", () => {}).write("GET / HTTP/1.1\r\n\r\n");
  const answering = connect(on.port, "127.0.0.1");
  answering.on("error", () => {}).write(framed(encoded({ isResponse: true })));
  await Promise.all([once(idle.resume(), "close"), once(huge.resume(), "close"), once(answering.resume(), "close")]);
  for (const because of ["idle-connection", "query-too-long", "is-a-response"]) {
    await on.counted(`because="${because}"} 1`);
  }
});

test("hostile datagrams are met with silence or refusal, and the next query is answered", async () => {
  await using on = await lab();
  const socket = createSocket("udp4");
  for (let n = 0; n < 300; n++) {
    const bytes = question({ name: "www.lab.test" });
    bytes[(n * 7) % bytes.length]! ^= 1 << (n % 8);
    socket.send(bytes.subarray(0, n % 5 === 0 ? n % 12 : bytes.length), on.port, "127.0.0.1");
  }
  socket.send(encoded({ isResponse: true }), on.port, "127.0.0.1");
  await on.counted('because="is-a-response"');
  assert.equal((await overUdp(on.port, question())).rcode, RCODES.of.NOERROR);
  socket.close();
});

test("a replica past its bound answers SERVFAIL and is not ready; when the database is back so are the answers", async () => {
  await using on = await lab(RACK_ROWS, { stalenessSeconds: 3600 });
  on.site.source.down = new Error("database away");
  on.site.clock.advance(3_599_000);
  assert.equal((await on.udp({})).rcode, RCODES.of.NOERROR);
  assert.equal((await on.udp({ name: "nobody.lab.test" })).rcode, RCODES.of.NXDOMAIN, "a no is served too");
  on.site.clock.advance(2000);
  assert.equal((await on.udp({})).rcode, RCODES.of.SERVFAIL);
  assert.equal(on.running.ready().ready, false);
  on.site.source.down = undefined;
  on.site.source.notify();
  await until(async () => (await on.udp({})).rcode === RCODES.of.NOERROR);
  assert.equal(on.running.ready().ready, true);
});

test("draining ends connections and takes no more; a second address serves the same zones", async () => {
  await using on = await lab(RACK_ROWS, { listen: ["127.0.0.1:0", "127.0.0.2:0"] });
  assert.deepEqual(Object.keys(on.running.endpoints), ["udp", "tcp", "udp1", "tcp1"]);
  const held = connect(on.port, "127.0.0.1");
  held.write(framed(question()));
  await once(held, "data");
  const closed = once(held.resume(), "close");
  await on.running.drain();
  await closed;
  const refused = connect(on.port, "127.0.0.1");
  const [fault] = (await once(refused, "error")) as [NodeJS.ErrnoException];
  assert.equal(fault.code, "ECONNREFUSED");
});

function encoded(change: Partial<ReturnType<typeof query>>): Uint8Array {
  return encode({ ...query({ id: 1, name: "www.lab.test", type: "A" }), ...change }) as Uint8Array;
}
