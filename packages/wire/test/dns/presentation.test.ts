import assert from "node:assert/strict";
import { test } from "node:test";
import { isMalformed, type Malformed, Writer } from "../../src/index.ts";
import { type DeclaredType, parseData, writeData } from "../../src/dns/index.ts";

/** Presentation form and the RDATA it stands for, in hex; or why it stands for none. */
const VECTORS: readonly (readonly [string, string])[] = [
  ["A 127.64.0.12", "7f40000c"],
  ["AAAA fd00::1", "fd000000000000000000000000000001"],
  ["CNAME Www.lab.test", "03577777036c6162047465737400"], // case is kept
  ["PTR a\\.b.test", "03612e62047465737400"], // a dot inside a label
  ["SRV 1 2 8080 a.test", "000100021f900161047465737400"],
  ["TXT hello", "0568656c6c6f"],
  ['TXT "two words" three', "0974776f20776f726473057468726565"],
  ['TXT ""', "00"],
  ["TXT ", "00"],
  ['TXT "a\\"b\\092\\255"', "0561226 25cff".replaceAll(" ", "")], // escapes of RFC 1035 §5.1
  ["TXT ü", "02c3bc"], // what is not ASCII goes out as UTF-8
  [`TXT ${"x".repeat(256)}`, `ff${"78".repeat(255)}0178`],
  ["A 127.64.0", "want an IPv4 address"],
  ["AAAA 127.64.0.1", ""],
  ["CNAME a..b", "empty label in name"],
  ["SRV 1 2 80800 a.test", "want: priority weight port target"],
  ["SRV 1 2 a.test", "want: priority weight port target"],
  ['TXT "open', "want character-strings, quoted where they hold blanks"],
  ["TXT \\999", "bad escape in a character-string"],
];

function rdataOf(record: string): Uint8Array | Malformed {
  const blank = record.indexOf(" ");
  const data = parseData(record.slice(0, blank) as DeclaredType, record.slice(blank + 1));
  if (isMalformed(data)) return data;
  const writer = new Writer(1024);
  return writeData(writer, data) ?? writer.done();
}

for (const [text, expected] of VECTORS) {
  test(`data declared as ${text.slice(0, 40)} is ${expected.slice(0, 40) || "refused"}`, () => {
    const rdata = rdataOf(text);
    if (isMalformed(rdata)) {
      assert(!/^[0-9a-f]+$/.test(expected), rdata.because);
      if (expected.includes("want:") || expected.includes("escape")) assert.equal(rdata.because, expected);
    } else assert.equal(Buffer.from(rdata).toString("hex"), expected);
  });
}
