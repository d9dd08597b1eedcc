import assert from "node:assert/strict";
import test from "node:test";
import { array, assert as holds, integer, property, tuple, uint8Array } from "fast-check";
import {
  decode,
  encode,
  foldName,
  hashName,
  type Labels,
  labels,
  nameBytes,
  nameText,
  newScan,
  parseName,
  readName,
  scan,
  writeName,
} from "../../src/dns/index.ts";
import { isMalformed } from "../../src/index.ts";
import { messages, names } from "./arbitrary.ts";

const bytesOf = (value: ReturnType<typeof encode>): Uint8Array => {
  assert.ok(!isMalformed(value), isMalformed(value) ? value.because : "");
  return value;
};

/** A message with some of its bytes changed: nearer to real nonsense than random bytes. */
const mutated = tuple(
  messages,
  array(tuple(integer({ min: 0, max: 600 }), integer({ min: 0, max: 255 })), { maxLength: 6 }),
).map(([message, edits]) => {
  const bytes = bytesOf(encode(message)).slice();
  for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
  return bytes;
});

test("decoding what was encoded gives the message back, case and unknown types kept", () => {
  holds(
    property(messages, (message) => assert.deepEqual(decode(bytesOf(encode(message))), message)),
    { numRuns: 300 },
  );
});

function either(bytes: Uint8Array): void {
  const read = decode(bytes);
  assert.ok(isMalformed(read) || read.questions.length >= 0);
}

test("any bytes are a message or Malformed", () => {
  holds(property(uint8Array({ maxLength: 200 }), either), { numRuns: 500 });
  holds(property(mutated, either), { numRuns: 500 });
});

test("what was decoded can be encoded and reads the same again", () => {
  holds(
    property(mutated, (bytes) => {
      const first = decode(bytes);
      if (isMalformed(first)) return;
      const again = encode(first);
      if (!isMalformed(again)) assert.deepEqual(decode(again), first);
    }),
    { numRuns: 300 },
  );
});

test("the scan never leaves the packet and agrees with the codec", () => {
  const into = newScan();
  holds(
    property(mutated, (bytes) => {
      const finding = scan(bytes, bytes.length, 7, into);
      assert.ok(into.end <= Math.max(bytes.length, 12));
      const message = decode(bytes);
      if (finding !== "query" || isMalformed(message)) return;
      assert.equal(message.questions.length, 1);
      assert.equal(into.qtype, message.questions[0]!.type);
      assert.equal(into.qclass, message.questions[0]!.class);
      assert.equal(into.hasEdns, message.edns !== undefined);
      assert.equal(into.payloadBytes, message.edns?.payloadBytes ?? 0);
    }),
    { numRuns: 500 },
  );
  holds(
    property(uint8Array({ maxLength: 80 }), (bytes) => {
      scan(bytes, bytes.length, 7, into);
      assert.ok(into.end <= Math.max(bytes.length, 12));
    }),
    { numRuns: 500 },
  );
});

test("a well-formed query with one question is found to be one", () => {
  const into = newScan();
  holds(
    property(messages, names, (message, name) => {
      const asked = { ...message, isResponse: false, opcode: 0, questions: [{ name, type: 1, class: 1 }] };
      const bytes = bytesOf(encode(asked));
      assert.equal(scan(bytes, bytes.length, 1, into), "query");
    }),
    { numRuns: 200 },
  );
});

function readHashed(wire: Uint8Array, seed: number, into: Labels): void {
  assert.equal(readName(wire, 0, wire.length, "refuse", into), wire.length);
  hashName(wire, seed, into);
}

test("names that differ by case alone have one hash", () => {
  const [one, two] = [labels(), labels()];
  holds(
    property(names, (name) => {
      const lower = bytesOf(nameBytes(name.toLowerCase()));
      const upper = bytesOf(nameBytes(name.toUpperCase()));
      readHashed(lower, 99, one);
      readHashed(upper, 99, two);
      assert.deepEqual(one.hashes.slice(0, one.count + 1), two.hashes.slice(0, two.count + 1));
    }),
  );
});

test("a suffix hashes as the name it is", () => {
  const [whole, part] = [labels(), labels()];
  const [long, short] = [bytesOf(nameBytes("a.bb.ccc")), bytesOf(nameBytes("BB.ccc"))];
  readHashed(long, 5, whole);
  readHashed(short, 5, part);
  assert.equal(whole.hashes[1], part.hashes[0]);
  assert.notEqual(whole.hashes[0], part.hashes[0]);
});

test("a name printed from its wire form is the text it was read from", () => {
  holds(
    property(names, (text) => {
      const name = parseName(text);
      assert.ok(!isMalformed(name));
      assert.equal(nameText(name), text);
      const wire = new Uint8Array(name.length);
      assert.equal(writeName(name, wire, 0), wire.length);
      assert.deepEqual(wire, bytesOf(nameBytes(text)));
    }),
  );
});

test("folding a name folds its text", () => {
  holds(
    property(names, (text) => {
      const [name, folded] = [parseName(text), parseName(foldName(text))];
      assert.ok(!isMalformed(name));
      assert.equal(foldName(name), folded);
    }),
  );
});
