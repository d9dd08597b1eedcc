import assert from "node:assert/strict";
import test from "node:test";
import { type BootEvent, isRefusal } from "@firstlight/api-client";
import { addressOf, HOST, openHouse, STRANGER, TRACE } from "./house.ts";

const event = (id: string, more: Partial<BootEvent> = {}): BootEvent => ({
  id,
  at: Date.now(),
  kind: "dhcp.offer",
  mac: HOST,
  ...more,
});
const refuses = (what: RegExp) => (error: Error) => {
  assert.ok(isRefusal(error), error.message);
  assert.match(error.message, what);
  return true;
};

test("an event reported any number of times, by anybody, is on the timeline once", async () => {
  await using house = await openHouse();
  const [one, other] = [await house.api("dhcpd"), await house.api("dhcpd")];
  const batch = Array.from({ length: 50 }, (_, i) =>
    event(`e${i}`, { at: 1_800_000_000_000 + i, ...(i % 3 === 0 && { mac: STRANGER }) }),
  );
  await Promise.all([
    one.report(batch),
    other.report(batch),
    one.report([...batch, ...batch]),
    other.report(batch.toReversed()),
  ]);
  const { machines } = await house.operator();
  const { events } = await machines.getTimeline({ machine: "r1-m01" });
  assert.deepEqual(
    events.map(({ id }) => id),
    batch.filter(({ mac }) => mac === HOST).map(({ id }) => id),
  );
  assert.equal((await machines.getTimeline({ machine: STRANGER })).events.length, 17);
  assert.match(await house.metrics.metrics(), /firstlight_api_events_total\{is="stored"\} 50\n/);
});

test("what is acknowledged survives the server's end, and the rest arrives when it is back", async () => {
  await using house = await openHouse();
  const dhcp = await house.api("dhcpd");
  const acknowledged: string[] = [];
  const reporting = (async () => {
    for (let i = 0; i < 120; i++) {
      for (let isStored = false; !isStored;) {
        isStored = await dhcp.report([event(`r${i}`)], { epoch: "e", position: i }).then(
          () => true,
          () => false,
        );
      }
      acknowledged.push(`r${i}`);
    }
  })();
  while (acknowledged.length < 40) await new Promise((resolve) => setTimeout(resolve, 5));
  await house.restart();
  await reporting;
  const { events } = await (await house.operator()).machines.getTimeline({ machine: "r1-m01" });
  assert.deepEqual(new Set(events.map(({ id }) => id)), new Set(acknowledged));
  assert.deepEqual(await dhcp.feedPosition(), { epoch: "e", position: 119 });
});

test("the feed's position never goes back, but for a new epoch, which is farther on", async () => {
  await using house = await openHouse();
  const dhcp = await house.api("dhcpd");
  assert.equal(await dhcp.feedPosition(), undefined);
  for (const [epoch, position] of [
    ["a", 10],
    ["a", 5],
    ["b", 1_048_586],
    ["a", 11],
  ] as const)
    await dhcp.report([], { epoch, position });
  assert.deepEqual(await dhcp.feedPosition(), { epoch: "b", position: 1_048_586 });
});

test("a machine's ring keeps its newest events, and a repeated one pushes nothing out", async () => {
  await using house = await openHouse({ eventsPerMachine: 100, unknownEvents: 10 });
  const dhcp = await house.api("dhcpd");
  const events = Array.from({ length: 250 }, (_, i) => event(`n${i}`, { at: 1_800_000_000_000 + i }));
  for (let at = 0; at < 250; at += 50) await dhcp.report(events.slice(at, at + 50));
  for (let i = 0; i < 5; i++) await dhcp.report(events.slice(200));
  const { machines } = await house.operator();
  const kept = (await machines.getTimeline({ machine: "r1-m01" })).events.map(({ id }) => id);
  assert.deepEqual(
    kept,
    events.slice(150).map(({ id }) => id),
  );
  await dhcp.report(Array.from({ length: 40 }, (_, i) => event(`u${i}`, { mac: STRANGER, kind: "dhcp.silence" })));
  assert.equal((await machines.getTimeline({ machine: STRANGER })).events.length, 10);
});

test("unexpected machines are bounded: beyond it their events stay in the rings of the unknown", async () => {
  await using house = await openHouse({ maxUnexpected: 3 });
  const dhcp = await house.api("dhcpd");
  const macs = Array.from({ length: 6 }, (_, i) => `02:bb:00:00:00:0${i}`);
  await dhcp.report(macs.map((mac, i) => event(`s${i}`, { mac, kind: "dhcp.ack", address: "127.64.0.50" })));
  const { machines } = await house.operator();
  assert.equal((await machines.listMachines({})).machines.length, 1 + 3);
  assert.equal((await machines.getTimeline({ machine: macs[5]! })).events.length, 1);
});

test("a field that is wrong is named, and nobody tells of another's work", async () => {
  await using house = await openHouse();
  const [dhcp, pxe] = [await house.api("dhcpd"), await house.api("pxe-http")];
  await assert.rejects(
    dhcp.report([event("a"), event("b", { mac: "nonsense" })]),
    refuses(/events\[1\]\.mac: want a MAC/),
  );
  await assert.rejects(dhcp.report([event("", {})]), refuses(/events\[0\]\.id: must not be empty/));
  await assert.rejects(dhcp.report([event("a", { trace: "xyz" })]), refuses(/events\[0\]\.trace/));
  await assert.rejects(dhcp.report([event("a", { address: "1.2.3" })]), refuses(/events\[0\]\.address/));
  await assert.rejects(dhcp.report([event("a", { at: 1 })]), refuses(/events\[0\]\.at/));
  await assert.rejects(dhcp.report([event("a", { because: "x".repeat(2_000) })]), refuses(/because: longer than 1024/));
  await assert.rejects(dhcp.report([event("a", { kind: "bad" as "dhcp.ack" })]), refuses(/"bad" is no kind of event/));
  await assert.rejects(
    dhcp.report([event("a", { kind: "pxe.script" })]),
    refuses(/daemon\/dhcpd may not tell of pxe.script/),
  );
  await assert.rejects(pxe.report([event("a", { kind: "pxe.phone-home" })]), refuses(/may not tell of pxe.phone-home/));
  await assert.rejects(pxe.report([], { epoch: "a", position: 1 }), refuses(/only daemon\/dhcpd/));
  await assert.rejects(pxe.feedPosition(), refuses(/daemon\/pxe-http may not call/));
  await assert.rejects(
    dhcp.decide({ mac: HOST, address: addressOf(HOST), trace: TRACE }),
    refuses(/daemon\/dhcpd may not call/),
  );
});
