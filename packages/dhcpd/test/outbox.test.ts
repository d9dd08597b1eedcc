import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "@firstlight/ipam";
import { LAB, lease } from "@firstlight/kit";
import { formatAddress } from "@firstlight/wire";
import { ACTOR, eventOf } from "../src/outbox.ts";
import { packet } from "./packets.ts";
import { dora, lab, ROWS } from "./site.ts";

test("a lease's change row is its event: told from the API's position on, once by id, however often the API was away", async () => {
  await using on = await lab();
  on.api.down = true;
  const { answer } = await dora(on.relay, LAB.mac);
  await on.site.settled();
  assert.equal(on.api.events.size, 0);
  on.api.down = false;
  await until(() => on.api.events.size === 1);
  on.relay.send(packet({ messageType: "RELEASE" }, { ciaddr: answer.yiaddr }));
  await until(() => on.api.events.size === 2);
  const [ack, release] = [...on.api.events.values()];
  assert.deepEqual([ack?.kind, release?.kind], ["dhcp.ack", "dhcp.release"]);
  assert.match(ack?.id ?? "", /^lease:\d+:\d+:127\.64\.0\.\d+$/);
  assert.equal(ack?.mac, LAB.mac);
  assert.match(ack?.trace ?? "", /^[0-9a-f]{32}$/);
  assert.deepEqual(on.api.position, { epoch: "epoch-1", position: 3 });
});

test("an outage of the API is said once, and how far the events are behind is a metric", async () => {
  await using on = await lab();
  const behind = async (): Promise<number> => {
    const [line] = (await on.metrics.metrics())
      .split("\n")
      .filter((one) => one.startsWith("firstlight_dhcp_events_behind "));
    return Number(line?.split(" ")[1]);
  };
  assert.equal(await behind(), 0);
  on.api.down = true;
  await dora(on.relay, LAB.mac);
  await on.site.settled();
  assert.equal(await behind(), 2);
  await new Promise((resolve) => setTimeout(resolve, 1000)); // some attempts
  assert.deepEqual(on.warnings, ["lease events wait for the API"]);
  on.api.down = false;
  while ((await behind()) > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(on.api.position?.position, 2);
});

test("another database's epoch is followed from where the API stands", async () => {
  await using on = await lab();
  await dora(on.relay, LAB.mac);
  await until(() => on.api.position?.position === 2);
  on.site.source.restore([...ROWS], "epoch-2");
  await on.site.settled();
  const restored = lease({ address: "127.64.0.99" });
  const [change] = on.site.source.commit({
    kind: "lease",
    key: keyOf(restored),
    version: 1,
    row: restored,
    dns: true,
    actor: ACTOR,
  });
  await until(() => on.api.events.has(`lease:${change!.version}:${change!.at}:127.64.0.99`));
  assert.deepEqual(on.api.position, { epoch: "epoch-2", position: change!.position });
});

test("what others changed is no DHCP event", () => {
  const row = lease();
  const change = { is: "row", position: 9, kind: "lease", key: keyOf(row), version: 2, row, dns: true, at: 5 } as const;
  assert.equal(eventOf({ ...change, actor: "operator/root" }), undefined);
  assert.equal(eventOf({ ...change, actor: ACTOR })?.id, `lease:2:5:${formatAddress(row.address)}`);
  assert.equal(eventOf({ ...change, actor: ACTOR, row: { ...row, state: "declined" } })?.kind, "dhcp.decline");
  const { row: _gone, ...deleted } = change;
  assert.equal(eventOf({ ...deleted, actor: ACTOR }), undefined);
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
}

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
    because: "it has an address on another segment now",
    trace: "t",
    detail: { segment: "host-b", from: "host-a", was: "10.0.0.20" },
  });
  assert.equal(eventOf({ ...change, actor: "daemon/api reclaim" }), undefined);
});
