import assert from "node:assert/strict";
import test from "node:test";
import { assert as check, property, string } from "fast-check";
import { formatSubject, subjectOf } from "../src/identity.ts";

test("a SPIFFE id names a daemon or an operator of one site", () => {
  assert.deepEqual(subjectOf("URI:spiffe://lab/daemon/pxe-http"), { site: "lab", is: "daemon", name: "pxe-http" });
  assert.deepEqual(subjectOf("DNS:localhost, IP Address:127.0.0.1, URI:spiffe://lab/operator/root"), {
    site: "lab",
    is: "operator",
    name: "root",
  });
});

test("a certificate without exactly one plain SPIFFE id has no subject", () => {
  for (const names of [
    undefined,
    "",
    "DNS:spiffe://lab/daemon/api",
    "URI:spiffe://lab/daemon/api, URI:spiffe://lab/daemon/dhcpd",
    'URI:"spiffe://x, URI:spiffe://lab/daemon/api, y"',
    "URI:spiffe://lab/tenant/api",
    "URI:spiffe://lab/daemon/api/more",
    "URI:spiffe://lab/daemon/../operator/root",
    "URI:https://lab/daemon/api",
  ]) {
    assert.equal(subjectOf(names), undefined, names);
  }
});

test("law: a formatted subject is read back, or there is none", () => {
  check(
    property(string(), (text) => {
      const subject = subjectOf(`URI:spiffe://lab/${text}`);
      if (subject) assert.equal(formatSubject(subject), text);
    }),
  );
});
