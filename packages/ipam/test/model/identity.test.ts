import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  type ClientIdentity,
  identitiesOf,
  IDENTITY,
  identityText,
  macOf,
  readIdentity,
} from "../../src/model/identity.ts";
import { keyOf, readLeaseKey } from "../../src/model/key.ts";
import { lease } from "@firstlight/kit";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 });
const identity: fc.Arbitrary<ClientIdentity> = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  bytes.map(IDENTITY.duid),
  bytes.map((circuitId) => IDENTITY.port({ giaddr: 0xfdn << 120n, circuitId })!),
);

test("an identity is read back from its text as the same value", () => {
  fc.assert(fc.property(identity, (value) => assert.equal(readIdentity(identityText(value)), value)));
});

test("a text that is no identity of a client is not read as one", () => {
  for (const text of ["", "02:f1:00:00:00:01", "mac x", "uuid 00", "client-id 01"]) {
    assert.equal(readIdentity(text), undefined, text);
  }
});

test("only a MAC has a MAC", () => {
  assert.equal(macOf(1), 1);
  assert.equal(macOf("duid 00030001"), undefined);
});

test("a client is known by its port first, then by its own identity, and by nothing twice", () => {
  const relay = { giaddr: 0xfdn << 120n, circuitId: Uint8Array.of(0x65), remoteId: Uint8Array.of(1) };
  const port = IDENTITY.port({ giaddr: relay.giaddr, circuitId: relay.circuitId })!;
  assert.deepEqual(identitiesOf("duid 00030001", { relay }), [`${port}/01`, port, "duid 00030001"]);
  assert.deepEqual(identitiesOf(port, { relay }), [`${port}/01`, port]);
});

test("the key of a lease reads as it was written, of an address and of a delegated prefix, whatever its VRF", () => {
  for (const vrf of ["default", "a/b", "a/64", "10.0.0.1/24"]) {
    for (const row of [
      lease({ vrf, address: "10.0.0.9" }),
      lease({ vrf, address: "fd00::1" }),
      lease({ vrf, address: "2001:db8:1::", prefixLength: 56 }),
    ]) {
      const { address, prefixLength } = row;
      const wanted = { vrf, address, ...(prefixLength !== undefined && { prefixLength }) };
      assert.deepEqual(readLeaseKey(keyOf(row)), wanted, keyOf(row));
    }
  }
});
