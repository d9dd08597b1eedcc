import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "@firstlight/ipam";
import { LAB, lease } from "@firstlight/kit";
import { formatAddress } from "@firstlight/wire";
import { ACTOR, eventOf } from "../src/lease/outbox.ts";

test("a change that dhcpd did not make is no DHCP event", () => {
  const row = lease();
  const change = { is: "row", position: 9, kind: "lease", key: keyOf(row), version: 2, row, dns: true, at: 5 } as const;
  assert.equal(eventOf({ ...change, actor: "operator/root" }), undefined);
  assert.equal(eventOf({ ...change, actor: ACTOR })?.id, `lease:2:5:${formatAddress(row.address)}`);
  assert.equal(eventOf({ ...change, actor: ACTOR, row: { ...row, state: "declined" } })?.kind, "dhcp.decline");
  const { row: _gone, ...deleted } = change;
  assert.equal(eventOf({ ...deleted, actor: ACTOR }), undefined);
});

test("a device that moved is reported as an event when dhcpd appended it", () => {
  const event = {
    is: "moved",
    mac: LAB.mac,
    segment: "host-b",
    address: "10.0.8.7",
    from: "host-a",
    was: "10.0.0.20",
  } as const;
  const entry = { position: 7, key: LAB.mac, version: 9, dns: false, at: 5 };
  const change = { ...entry, is: "event", kind: "arrival", event } as const;
  assert.deepEqual(eventOf({ ...change, actor: ACTOR, trace: "t" }), {
    id: "arrival:9:5:10.0.8.7",
    at: 5,
    kind: "interface.moved",
    mac: LAB.mac,
    address: "10.0.8.7",
    because: "device-moved",
    trace: "t",
    detail: { segment: "host-b", from: "host-a", was: "10.0.0.20" },
  });
  assert.equal(eventOf({ ...change, actor: "daemon/api reclaim" }), undefined);
});
