import assert from "node:assert/strict";
import { test } from "node:test";
import { lease } from "@firstlight/kit";
import { ip } from "@firstlight/kit/dhcp4";
import { leaseWithoutDatabase } from "../src/lease/without-database.ts";
import { OfferHolds } from "../src/lease/offer-holds.ts";
import { Traces } from "../src/lease/traces.ts";

test("an offered address is kept from others for a while, and the oldest hold goes first when there are too many", () => {
  const holds = new OfferHolds(30_000, 2);
  holds.hold(10, 1, 0);
  assert.ok(holds.isHeld(10, 2, 29_999));
  assert.ok(!holds.isHeld(10, 1, 0), "never from the one it was offered to");
  assert.ok(!holds.isHeld(10, 2, 30_000));
  holds.hold(11, 1, 0);
  holds.hold(12, 1, 0);
  assert.ok(!holds.isHeld(10, 2, 1) && holds.isHeld(11, 2, 1) && holds.isHeld(12, 2, 1));
});

test("a boot's stages share one trace; going back to an earlier stage is another boot", () => {
  let made = 0;
  const traces = new Traces(() => `trace-${++made}`, 2);
  assert.equal(traces.of(1, "rom", 0), "trace-1");
  assert.equal(traces.of(1, "rom", 16_000), "trace-1", "firmware repeats itself");
  assert.equal(traces.of(1, "ipxe", 20_000), "trace-1");
  assert.equal(traces.of(1, "os", 40_000), "trace-1");
  assert.equal(traces.known(1, 45_000), "trace-1");
  assert.equal(traces.known(1, 700_000), undefined, "a late renewal belongs to no boot");
  assert.equal(traces.of(1, "rom", 50_000), "trace-2");
  assert.equal(traces.of(1, "rom", 650_000), "trace-3", "ten quiet minutes later");
  traces.of(2, "rom", 650_000);
  traces.of(3, "rom", 650_000);
  assert.equal(traces.of(1, "ipxe", 650_001), "trace-6", "bounded");
});

test("without the database a promise stands for the same interface only, and ends before the address may go to another", () => {
  const bound = lease({ address: "127.64.0.12", expiresAt: 1_000_000, reusableAt: 5_000_000 });
  const asked = { identity: bound.identity, segment: 1, address: ip("127.64.0.12"), leaseSeconds: 3600 };
  const seconds = (now: number) => {
    const stands = leaseWithoutDatabase(bound, asked, now, 60_000);
    return stands.is === "standing" ? stands.leaseSeconds : stands.because;
  };
  assert.equal(seconds(1_000_000), 3600, "past expiry, within grace");
  assert.equal(seconds(4_000_000), 940, "clipped");
  assert.equal(seconds(4_940_000), "database-away-grace-over");
  assert.equal(leaseWithoutDatabase(bound, { ...asked, identity: 5 }, 0, 0).is, "none");
  assert.equal(leaseWithoutDatabase({ ...bound, state: "released" }, asked, 0, 0).is, "none");
  assert.equal(leaseWithoutDatabase(undefined, asked, 0, 0).is, "none");
});
