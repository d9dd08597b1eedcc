import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { joinEndpoint, splitEndpoint } from "../src/index.ts";

test("an IPv6 address stands in brackets, an IPv4 address does not", () => {
  assert.equal(joinEndpoint("::1", 53), "[::1]:53");
  assert.equal(joinEndpoint("127.0.0.1", 53), "127.0.0.1:53");
  assert.deepEqual(splitEndpoint("[::1]:53"), { host: "::1", port: 53 });
});

test("law: an endpoint taken apart is what it was put together from", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(host, fc.nat(65_535), (host, port) => {
      assert.deepEqual(splitEndpoint(joinEndpoint(host, port)), { host, port });
    }),
  );
});
