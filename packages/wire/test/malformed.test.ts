import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIPv4, assertParsed } from "../src/index.ts";

test("what was checked before is its value; what is malformed all the same is a bug, and says which text", () => {
  assert.equal(assertParsed(parseIPv4("127.0.0.1"), "127.0.0.1"), 0x7f000001);
  assert.throws(() => assertParsed(parseIPv4("127.0.0"), "127.0.0"), { name: "TypeError", message: /^127\.0\.0: / });
});
