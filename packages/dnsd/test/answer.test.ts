import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTexts } from "@firstlight/kit";
import { type Message, RCODES, TYPES } from "@firstlight/wire/dns";
import { ask, bytesFor, FRESH, wire, zone, zones } from "./zone.ts";

const LAB = zones(
  {
    "lab.test": ["NS ns1.lab.test"],
    "www.lab.test": ["A 127.64.0.1", "A 127.64.0.2", "AAAA fd00::1", "TXT hello"],
    "a.b.c.lab.test": ["A 127.64.0.3"],
    "alias.lab.test": ["CNAME www.lab.test"],
    "second.lab.test": ["CNAME alias.lab.test"],
    "away.lab.test": ["CNAME www.example.com"],
    "dangling.lab.test": ["CNAME nobody.lab.test"],
    "over.lab.test": ["CNAME www.other.test"],
    "loop.lab.test": ["CNAME pool.lab.test"],
    "pool.lab.test": ["CNAME loop.lab.test"],
    "self.lab.test": ["CNAME self.lab.test"],
    "_http._tcp.lab.test": ["SRV 1 2 8080 www.lab.test"],
    "www.other.test": ["A 127.64.0.9"],
    "1.0.64.127.in-addr.arpa": ["PTR www.lab.test"],
    "www.in.lab.test": ["A 127.64.0.4"],
  },
  ["lab.test", "other.test", "0.64.127.in-addr.arpa", "in.lab.test", zone("slow.test", { ttlSeconds: 2 })],
);

const rcode = (message: Message) => RCODES.name(message.rcode);

test("a name is answered with its set of the type asked, authoritative, one record each", () => {
  const reply = ask(LAB, {});
  assert.deepEqual(answerTexts(reply).toSorted(), ["A 127.64.0.1", "A 127.64.0.2"]);
  assert.deepEqual([reply.isAuthoritative, reply.isResponse, reply.recursionAvailable], [true, true, false]);
  assert.deepEqual(answerTexts(ask(LAB, { type: "AAAA" })), ["AAAA fd00::1"]);
  assert.deepEqual(answerTexts(ask(LAB, { type: "TXT" })), ["TXT hello"]);
  assert.deepEqual(answerTexts(ask(LAB, { name: "_http._tcp.lab.test", type: "SRV" })), ["SRV 1 2 8080 www.lab.test"]);
  assert.deepEqual(answerTexts(ask(LAB, { name: "1.0.64.127.in-addr.arpa", type: "PTR" })), ["PTR www.lab.test"]);
});

test("the question comes back in the client's case, and every owner points to it", () => {
  const reply = ask(LAB, { name: "wWw.LaB.tEsT" });
  assert.equal(reply.questions[0]?.name, "wWw.LaB.tEsT");
  assert.deepEqual(
    reply.answers.map(({ owner }) => owner),
    ["wWw.LaB.tEsT", "wWw.LaB.tEsT"],
  );
});

test("the apex has SOA and NS; the serial is the feed's", () => {
  const soa = ask(LAB, { name: "lab.test", type: "SOA" }).answers[0];
  assert(soa?.data.is === "SOA");
  assert.deepEqual([soa.data.serial, soa.ttlSeconds], [0xfffffff0, 60]);
  assert.deepEqual(answerTexts(ask(LAB, { name: "lab.test", type: "NS" })), ["NS ns1.lab.test"]);
});

test("a no carries the SOA of the zone it is about, for the lesser of its TTL and its minimum", () => {
  for (const [name, type, code, owner, ttlSeconds] of [
    ["nobody.lab.test", "A", "NXDOMAIN", "lab.test", 5],
    ["below.www.lab.test", "A", "NXDOMAIN", "lab.test", 5],
    ["www.lab.test", "MX", "NOERROR", "lab.test", 5],
    ["lab.test", "A", "NOERROR", "lab.test", 5],
    ["nobody.in.lab.test", "A", "NXDOMAIN", "in.lab.test", 5],
    ["x.slow.test", "A", "NXDOMAIN", "slow.test", 2],
  ] as const) {
    const reply = ask(LAB, { name, type });
    const soa = reply.authorities[0];
    assert(soa?.data.is === "SOA", name);
    assert.deepEqual([rcode(reply), soa.owner, soa.ttlSeconds, reply.answers], [code, owner, ttlSeconds, []], name);
    assert.deepEqual([soa.data.serial, reply.isAuthoritative], [0xfffffff0, true]);
  }
});

test("what has names below it exists, though it holds nothing", () => {
  for (const name of ["b.c.lab.test", "c.lab.test"]) assert.equal(rcode(ask(LAB, { name })), "NOERROR");
  assert.equal(rcode(ask(LAB, { name: "x.c.lab.test" })), "NXDOMAIN");
});

test("an alias is followed within its zone, and told where it leads out of it", () => {
  const A = ["A 127.64.0.1", "A 127.64.0.2"];
  const chain = (name: string) => answerTexts(ask(LAB, { name }));
  assert.deepEqual(chain("alias.lab.test"), ["CNAME www.lab.test", ...A]);
  assert.deepEqual(chain("second.lab.test"), ["CNAME alias.lab.test", "CNAME www.lab.test", ...A]);
  assert.deepEqual(chain("away.lab.test"), ["CNAME www.example.com"]);
  assert.deepEqual(chain("over.lab.test"), ["CNAME www.other.test"]);
  assert.deepEqual(answerTexts(ask(LAB, { name: "second.lab.test", type: "CNAME" })), ["CNAME alias.lab.test"]);
  assert.deepEqual(answerTexts(ask(LAB, { name: "alias.lab.test", type: "RRSIG" })), []);
  assert.equal(ask(LAB, { name: "second.lab.test" }).answers[2]?.owner, "www.lab.test");
});

test("a chain that ends nowhere says so; one that turns in a circle ends where it began", () => {
  const dangling = ask(LAB, { name: "dangling.lab.test" });
  assert.deepEqual([rcode(dangling), answerTexts(dangling)], ["NXDOMAIN", ["CNAME nobody.lab.test"]]);
  assert.equal(dangling.authorities[0]?.owner, "lab.test");
  const loop = ask(LAB, { name: "loop.lab.test" });
  assert.deepEqual([rcode(loop), answerTexts(loop)], ["NOERROR", ["CNAME pool.lab.test", "CNAME loop.lab.test"]]);
  assert.deepEqual(answerTexts(ask(LAB, { name: "self.lab.test" })), ["CNAME self.lab.test"]);
});

test("what is not ours is refused without a claim to authority", () => {
  for (const name of ["example.com", "test", ".", "12.0.65.127.in-addr.arpa"]) {
    const reply = ask(LAB, { name });
    assert.deepEqual([rcode(reply), reply.isAuthoritative, reply.authorities], ["REFUSED", false, []], name);
  }
});

test("ANY gets one set (RFC 8482)", () => {
  assert.equal(new Set(ask(LAB, { type: "ANY" }).answers.map(({ type }) => type)).size, 1);
});

test("each query that cannot be looked up is refused by its own code", () => {
  const edns = { payloadBytes: 1232, version: 0, dnssecOk: false, options: [] };
  const q = { name: "www.lab.test", type: TYPES.of.A, class: 1 };
  for (const [because, change, asked, code] of [
    ["opcode NOTIFY", { opcode: 4 }, {}, "NOTIMP"],
    ["opcode 15", { opcode: 15 }, {}, "NOTIMP"],
    ["no question", { questions: [] }, {}, "FORMERR"],
    ["two questions", { questions: [q, q] }, {}, "FORMERR"],
    ["EDNS version 1", { edns: { ...edns, version: 1 } }, {}, "BADVERS"],
    ["type OPT", {}, { type: 41 }, "FORMERR"],
    ["type 0", {}, { type: 0 }, "FORMERR"],
    ["AXFR", {}, { type: "AXFR" }, "REFUSED"],
    ["a meta type", {}, { type: 130 }, "NOTIMP"],
    ["class CHAOS", {}, { class: 3, name: "version.bind", type: "TXT" }, "REFUSED"],
    ["class ANY", {}, { class: 255 }, "REFUSED"],
  ] as const) {
    const reply = ask(LAB, asked, change);
    assert.equal(rcode(reply), code, because);
    assert.deepEqual([reply.id, reply.isResponse, reply.answers], [77, true, []], because);
  }
});

test("EDNS is answered in kind: DO comes back, options and flags do not, none is added unasked (RFC 6891, RFC 8906)", () => {
  const options = [{ code: 65_001, bytes: new Uint8Array(3) }];
  const { edns } = ask(LAB, {}, { edns: { payloadBytes: 4096, version: 0, dnssecOk: true, options } });
  assert.deepEqual(edns, { payloadBytes: 1232, version: 0, dnssecOk: true, options: [] });
  assert.equal(ask(LAB, { payloadBytes: false }).edns, undefined);
  assert.equal(ask(LAB, {}, { edns: { payloadBytes: 512, version: 9, dnssecOk: false, options } }).edns?.version, 0);
});

test("two OPT records are malformed", () => {
  const plain = wire({});
  const opt = plain.slice(-11);
  const twice = Uint8Array.from([...plain, ...opt]);
  twice[11] = 2;
  const reply = bytesFor(LAB, twice);
  assert(typeof reply !== "string");
  assert.equal(reply[3]! & 15, RCODES.of.FORMERR);
});

test("a response is never answered, nor what is shorter than a header", () => {
  assert.equal(bytesFor(LAB, wire({}, { isResponse: true })), "is-a-response");
  assert.equal(bytesFor(LAB, new Uint8Array(11)), "query-too-short");
});

test("RD comes back, AD, CD and RA do not", () => {
  const reply = ask(LAB, { recursionDesired: true }, { isAuthentic: true, checkingDisabled: true });
  assert.deepEqual(
    [reply.recursionDesired, reply.isAuthentic, reply.checkingDisabled, reply.recursionAvailable],
    [true, false, false, false],
  );
});

test("a set that does not fit truncates the reply to question and OPT; a stream takes it whole", () => {
  const addresses = Array.from({ length: 60 }, (_, n) => `A 127.64.1.${n}`);
  const wide = zones({ "wide.lab.test": addresses });
  for (const [payloadBytes, room] of [
    [false, 512],
    [512, 512],
    [0, 512],
  ] as const) {
    const bytes = bytesFor(wide, wire({ name: "wide.lab.test", payloadBytes }));
    assert(typeof bytes !== "string" && bytes.length <= room);
    const reply = ask(wide, { name: "wide.lab.test", payloadBytes });
    assert.deepEqual([reply.isTruncated, reply.answers, rcode(reply)], [true, [], "NOERROR"]);
    assert.equal(reply.edns !== undefined, payloadBytes !== false);
  }
  assert.equal(ask(wide, { name: "wide.lab.test", payloadBytes: 4096 }).answers.length, 60, "1003 octets fit 1232");
  const stream = ask(wide, { name: "wide.lab.test", payloadBytes: false }, {}, { ...FRESH, isStream: true });
  assert.deepEqual([stream.isTruncated, stream.answers.length], [false, 60]);
});

test("a replica too old says SERVFAIL to what it would have looked up, and still refuses what is wrong", () => {
  const stale = { ...FRESH, isStale: true };
  assert.equal(rcode(ask(LAB, {}, {}, stale)), "SERVFAIL");
  assert.equal(rcode(ask(LAB, { name: "nobody.lab.test" }, {}, stale)), "SERVFAIL");
  assert.equal(rcode(ask(LAB, {}, { opcode: 4 }, stale)), "NOTIMP");
});

test("the longest chain and the longest names end in a reply", () => {
  const label = "x".repeat(60);
  const name = (n: number) => `${n}${label}.${label}.${label}.lab.test`;
  const long = zones(Object.fromEntries(Array.from({ length: 12 }, (_, n) => [name(n), [`CNAME ${name(n + 1)}`]])));
  const stream = { ...FRESH, isStream: true };
  const reply = ask(long, { name: name(0) }, {}, stream);
  assert.deepEqual([reply.answers.length, rcode(reply)], [8, "NOERROR"]);
  assert.equal(ask(long, { name: name(0) }).isTruncated, true);
});
