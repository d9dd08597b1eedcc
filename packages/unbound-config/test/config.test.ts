import assert from "node:assert/strict";
import test from "node:test";
import { unboundConfigSchema } from "../src/config.ts";

test("a site without a section has no resolver", () => {
  assert.equal(unboundConfigSchema.parse(undefined).enabled, false);
});

for (const [what, input] of [
  ["an interface that is no address", { interfaces: ["eth0; rm"] }],
  [
    "a forwarder over TLS beside one that is not",
    { forwarders: [{ address: "9.9.9.9:853", tlsName: "a" }, { address: "1.1.1.1:53" }] },
  ],
  ["a private domain with a quote", { privateDomains: ['a"b'] }],
  ["an unknown key", { enable: true }],
  ["unbound's own notation of a port", { dnsd: ["127.0.0.1@7053"] }],
] as const) {
  test(`${what} is refused`, () => assert.equal(unboundConfigSchema.safeParse(input).success, false));
}
