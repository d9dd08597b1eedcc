import assert from "node:assert/strict";
import { test } from "node:test";
import { answerTexts, dnsName } from "@firstlight/kit";
import { isMalformed } from "@firstlight/wire";
import { decode, foldName, RCODES, TYPES } from "@firstlight/wire/dns";
import * as fc from "fast-check";
import { ask, bytesFor, FRESH, record, wire, zone, zones } from "./zone.ts";
import { Zones } from "../src/zones.ts";

const LAB = zones({
  "lab.test": ["NS ns1.lab.test"],
  "www.lab.test": ["A 127.64.0.1", 'TXT "a long one"'],
  "a.b.lab.test": ["CNAME www.lab.test"],
});

function mustBeSound(query: Uint8Array, isStream: boolean): void {
  const reply = bytesFor(LAB, query, { ...FRESH, isStream });
  if (typeof reply === "string") {
    assert(query.length < 12 || (query[2]! & 0x80) !== 0, "only what is no query is met with silence");
    return;
  }
  const message = decode(reply);
  assert(!isMalformed(message), "our own reply must read");
  assert.equal(message.id, (query[0]! << 8) | query[1]!);
  assert.equal(message.isResponse, true);
  assert(isStream || reply.length <= 1232);
  assert(message.edns !== undefined || isStream || reply.length <= 512);
}

test("any bytes give silence with a reason or a reply that reads", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (bytes, isStream) => mustBeSound(bytes, isStream)),
    { numRuns: 2000 },
  );
});

test("any bytes changed in a query, any cut of it, give silence with a reason or a reply that reads", () => {
  const name = fc.constantFrom("www.lab.test", "a.b.lab.test", "nope.lab.test", "lab.test", "example.com");
  const pokes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(name, fc.nat(260), pokes, fc.nat(80), fc.boolean(), (asked, type, changed, cut, isStream) => {
      const bytes = wire({ name: asked, type });
      for (const [at, value] of changed) if (at < bytes.length) bytes[at] = value;
      mustBeSound(bytes.subarray(0, Math.max(0, bytes.length - (cut > 60 ? cut - 60 : 0))), isStream);
    }),
    { numRuns: 3000 },
  );
});

const label = fc.constantFrom("a", "b", "C", "*");
const owner = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => [...labels, "lab.test"].join("."));
const held = fc.uniqueArray(fc.constantFrom("A 127.64.0.1", "A 127.64.0.2", "TXT x", "AAAA fd00::1"), { maxLength: 3 });

test("after any puts and removals the index answers as a list of names would, and holds nothing it need not", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(owner, held), { maxLength: 60 }), (puts) => {
      const built = new Zones([zone("lab.test")], 3, 16);
      const model = new Map<string, readonly string[]>();
      for (const [name, texts] of puts) {
        assert.deepEqual(
          built.put(
            dnsName(name),
            texts.map((text) => record(text)),
          ),
          [],
        );
        if (texts.length > 0) model.set(foldName(name), texts);
        else model.delete(foldName(name));
        const nodes = new Set([...model.keys()].flatMap(enclosing));
        assert.equal(built.names.count, nodes.size + 1, "a node per name, one per name above it, and the apex");
      }
      for (const name of new Set(puts.map(([each]) => each))) {
        const texts = model.get(foldName(name)) ?? [];
        const reply = ask(built, { name, type: "A" });
        const exists = [...model.keys()].some((each) => each === foldName(name) || each.endsWith(`.${foldName(name)}`));
        assert.equal(reply.rcode, exists ? RCODES.of.NOERROR : RCODES.of.NXDOMAIN);
        assert.equal(reply.answers.length, texts.filter((text) => text.startsWith("A ")).length);
      }
      for (const name of model.keys()) built.put(dnsName(name), []);
      assert.equal(built.names.count, 1);
    }),
    { numRuns: 150 },
  );
});

/** The names between this one and the apex, itself included. */
function enclosing(name: string): string[] {
  const labels = name.split(".");
  return labels.slice(0, -2).map((_, i) => labels.slice(i).join("."));
}

const hostName = (n: number): string => `h${n}.r${n % 97}.lab.test`;
const hostAddress = (n: number): string => `A 10.0.${n >>> 8}.${n & 255}`;

test("ten thousand names come, change and go: each is found while it is there", () => {
  const built = new Zones([zone("lab.test")], 11, 16);
  for (let n = 0; n < 10_000; n++) built.put(dnsName(hostName(n)), [record(hostAddress(n))]);
  for (let n = 0; n < 10_000; n += 3) built.put(dnsName(hostName(n)), []);
  for (let n = 1; n < 10_000; n += 3)
    built.put(dnsName(hostName(n)), [record(hostAddress(n + 1)), record("TXT changed")]);
  for (let n = 0; n < 10_000; n += 7) {
    const expected = [[], [hostAddress(n + 1)], [hostAddress(n)]][n % 3];
    assert.deepEqual(answerTexts(ask(built, { name: hostName(n) })), expected);
  }
  for (let n = 0; n < 10_000; n++) built.put(dnsName(hostName(n)), []);
  assert.equal(built.names.count, 1);
});

test("the order and the TTL of a set: as put, and one for all of it, the least", () => {
  const built = new Zones([zone("lab.test")], 1);
  built.put(dnsName("x.lab.test"), [record("A 127.64.0.2", 60), record("A 127.64.0.1", 30), record("TXT t", 0)]);
  const { answers } = ask(built, { name: "x.lab.test" });
  assert.deepEqual(
    answers.map(({ ttlSeconds }) => ttlSeconds),
    [30, 30],
  );
  assert.equal(ask(built, { name: "x.lab.test", type: TYPES.of.TXT }).answers[0]?.ttlSeconds, 1, "never 0");
});
