import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { joinEndpoint, splitEndpoint } from "../src/index.ts";

test("only an IPv6 address is put in brackets", () => {
  assert.equal(joinEndpoint("::1", 53), "[::1]:53");
  assert.equal(joinEndpoint("127.0.0.1", 53), "127.0.0.1:53");
  assert.deepEqual(splitEndpoint("[::1]:53"), { host: "::1", port: 53 });
});

test("law: splitting a joined endpoint gives its host and port", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(host, fc.nat(65_535), (host, port) => {
      assert.deepEqual(splitEndpoint(joinEndpoint(host, port)), { host, port });
    }),
  );
});
