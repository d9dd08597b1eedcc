import assert from "node:assert/strict";
import test from "node:test";
import {
  type Arbitrary,
  array,
  assert as holds,
  constant,
  constantFrom,
  integer,
  oneof,
  property,
  record,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import { isMalformed } from "../src/index.ts";
import { decode, encode, type Message } from "../src/tftp/index.ts";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const options = (list: Record<string, string>) => new Map(Object.entries(list));

/** What firmware sent and servers answered, from captures of ours: bytes and what they mean. */
const VECTORS: readonly (readonly [string, string, Message])[] = [
  [
    "OVMF x64 asks for the size first",
    "0001 736e706f6e6c792e65666900 6f6374657400 7473697a6500 3000 626c6b73697a6500 3134363800 77696e646f7773697a6500 3400",
    {
      is: "RRQ",
      file: "snponly.efi",
      mode: "octet",
      options: options({ tsize: "0", blksize: "1468", windowsize: "4" }),
    },
  ],
  [
    "OVMF then ends that transfer with error 8",
    "0005 0008 557365722061626f7274656420746865207472616e7366657200",
    { is: "ERROR", code: 8, message: "User aborted the transfer" },
  ],
  [
    "iPXE 1.21 in QEMU's BIOS ROM",
    "0001 756e64696f6e6c792e6b70786500 6f6374657400 626c6b73697a6500 3134333200 7473697a6500 3000",
    { is: "RRQ", file: "undionly.kpxe", mode: "octet", options: options({ blksize: "1432", tsize: "0" }) },
  ],
  [
    "U-Boot on arm64",
    "0001 626f6f742e7363722e75696d6700 6f6374657400 74696d656f757400 3500 626c6b73697a6500 3134363800",
    { is: "RRQ", file: "boot.scr.uimg", mode: "octet", options: options({ timeout: "5", blksize: "1468" }) },
  ],
  [
    "GRUB asks with a leading slash",
    "0001 2f677275622f61726d36342d6566692f66732e6c737400 6f6374657400 626c6b73697a6500 3130323400 7473697a6500 3000",
    { is: "RRQ", file: "/grub/arm64-efi/fs.lst", mode: "octet", options: options({ blksize: "1024", tsize: "0" }) },
  ],
  [
    "an OACK that answers iPXE",
    "0006 626c6b73697a6500 3134323800 7473697a6500 373432313300",
    { is: "OACK", options: options({ blksize: "1428", tsize: "74213" }) },
  ],
  [
    "an error of a server",
    "0005 0001 46696c65206e6f7420666f756e6400",
    { is: "ERROR", code: 1, message: "File not found" },
  ],
  ["the last, empty block", "0003 ffff", { is: "DATA", block: 65_535, data: new Uint8Array() }],
  ["an acknowledgement", "0004 0102", { is: "ACK", block: 258 }],
];

for (const [title, bytes, message] of VECTORS) {
  test(`vector: ${title}`, () => {
    assert.deepEqual(decode(hex(bytes)), message);
    assert.deepEqual(encode(message), hex(bytes));
  });
}

test("option names and modes are read in any case, values are kept as sent", () => {
  assert.deepEqual(decode(ascii("\0\x01f\0OCTET\0BlkSize\x001468\0X-Other\0AbC\0")), {
    is: "RRQ",
    file: "f",
    mode: "octet",
    options: options({ blksize: "1468", "x-other": "AbC" }),
  });
});

test("of a repeated option the first counts; zeros at the end are padding", () => {
  const message = decode(ascii("\0\x01f\0octet\0blksize\x00512\0blksize\x001468\0\0\0\0"));
  assert.deepEqual(message, { is: "RRQ", file: "f", mode: "octet", options: options({ blksize: "512" }) });
});

test("an error text without its end is still an error", () => {
  assert.deepEqual(decode(ascii("\0\x05\0\0gone")), { is: "ERROR", code: 0, message: "gone" });
});

const MALFORMED: readonly (readonly [Uint8Array, string])[] = [
  [ascii(""), "shorter than any message"],
  [ascii("\0\x01f"), "shorter than any message"],
  [ascii("\0\x07abcd"), "unknown opcode"],
  [ascii("\0\x01file\0octet"), "text without an end"],
  [ascii("\0\x01\0octet\0"), "request without a file name"],
  [ascii("\0\x01file\0"), "request without a mode"],
  [ascii("\0\x01f\0octet\0blksize\0"), "option without a value"],
  [ascii(`\0\x01${"f".repeat(600)}\0octet\0`), "request longer than 512 bytes"],
  [ascii(`\0\x06${Array.from({ length: 17 }, (_, i) => `o${i}\0v\0`).join("")}`), "too many options"],
];

test("what is not TFTP is Malformed with its reason", () => {
  for (const [bytes, because] of MALFORMED) {
    const message = decode(bytes);
    assert.ok(isMalformed(message), because);
    assert.equal(message.because, because);
  }
});

const text = string({
  unit: integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 40,
});
const name = text.map((value) => value.toLowerCase()).filter((value) => /^[\0-\xff]*$/.test(value));
const optionList = array(tuple(name, text), { maxLength: 4 }).map((list) => new Map(list.toReversed()));
const PLAIN = { noNullPrototype: true } as const;
const block = integer({ min: 0, max: 65_535 });
const message: Arbitrary<Message> = oneof(
  record(
    {
      is: constantFrom("RRQ" as const, "WRQ" as const),
      file: text,
      mode: constantFrom("octet", "netascii"),
      options: optionList,
    },
    PLAIN,
  ),
  record({ is: constant("DATA" as const), block, data: uint8Array({ maxLength: 1468 }) }, PLAIN),
  record({ is: constant("ACK" as const), block }, PLAIN),
  record({ is: constant("ERROR" as const), code: block, message: text }, PLAIN),
  record({ is: constant("OACK" as const), options: optionList.filter((list) => list.size > 0) }, PLAIN),
);

test("law: what is encoded decodes to the same", () => {
  holds(property(message, (value) => assert.deepEqual(decode(encode(value)), value)));
});

test("law: any bytes give a message or Malformed", () => {
  const bytes = oneof(
    uint8Array({ maxLength: 700 }),
    tuple(integer({ min: 0, max: 7 }), uint8Array({ maxLength: 600 })).map(([opcode, rest]) =>
      Uint8Array.of(0, opcode, ...rest),
    ),
  );
  holds(
    property(bytes, (value) => typeof decode(value).is === "string"),
    { numRuns: 2000 },
  );
});
