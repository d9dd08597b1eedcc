import assert from "node:assert/strict";
import { test } from "node:test";
import { LAB, domain, prefix, segment } from "@firstlight/kit";
import { get, type Message } from "@firstlight/wire/dhcp4";
import { packet } from "@firstlight/kit/dhcp4";
import { dora, lab, selecting } from "./lab.ts";

const type = ({ options }: Message) => get(options, "messageType");
const mac = (n: number) => `02:f1:00:00:01:${n.toString(16).padStart(2, "0")}`;
type Lab = Awaited<ReturnType<typeof lab>>;

const silences = async ({ metrics }: Lab, because: string): Promise<number> => {
  const text = await metrics.getSingleMetricAsString("firstlight_dhcp_silences_total");
  return Number(new RegExp(`because="${because}"} (\\d+)`).exec(text)?.[1] ?? 0);
};

/** Looks until it is so; the test's own time limit is the only clock. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** A client whose promise waits for its commit, until the gate is opened. */
async function waiting(on: Lab, who: string) {
  const gate = Promise.withResolvers<void>();
  const before = on.leases.batches.length;
  const request = selecting(await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: who })), who);
  on.leases.gate = gate.promise;
  on.relay.send(request);
  await until(() => on.leases.batches.length > before);
  return { request, open: gate.resolve };
}

test("a request sent again while its promise is under way is one promise and one answer, to the newest", async () => {
  await using on = await lab();
  const { request, open } = await waiting(on, LAB.mac);
  for (const xid of [2, 3]) on.relay.send({ ...request, xid });
  await until(async () => (await silences(on, "repeated-while-pending")) === 2);
  open();
  const ack = await on.relay.next();
  assert.deepEqual([type(ack), ack.xid], ["ACK", 3]);
  await dora(on.relay, mac(9));
  assert.deepEqual(on.relay.received, [], "no second answer");
  assert.equal(on.leases.batches.flat().filter((one) => one.identity !== 0 && one.address === ack.yiaddr).length, 1);
});

test("a client that missed its ACK hears it again without another commit, and never more than is left of the lease", async () => {
  await using on = await lab();
  const { answer } = await dora(on.relay, LAB.mac);
  const request = selecting({ ...answer }, LAB.mac);
  on.site.clock.advance(4000);
  const again = await on.relay.ask(request);
  assert.deepEqual([type(again), again.yiaddr], ["ACK", answer.yiaddr]);
  assert.equal(get(again.options, "leaseTime"), Number(get(answer.options, "leaseTime")) - 4);
  assert.equal(on.leases.batches.length, 1);
  on.site.clock.advance(57_000);
  assert.equal(type(await on.relay.ask(request)), "ACK");
  assert.equal(on.leases.batches.length, 2, "later it is a question of its own");
  const other = await on.relay.ask({ ...request, xid: request.xid + 1 });
  assert.equal(type(other), "ACK");
  assert.equal(on.leases.batches.length, 3, "as is another exchange");
});

test("a renewal that keeps the xid of its first request, as ISC dhclient's does, extends the lease each time", async () => {
  await using on = await lab([domain(), segment({ leaseSeconds: 60 }), prefix()]);
  const { answer } = await dora(on.relay, LAB.mac);
  const renewal = packet({ messageType: "REQUEST" }, { ciaddr: answer.yiaddr, xid: answer.xid });
  for (const seconds of [30, 30, 53, 60]) {
    on.site.clock.advance(seconds * 1000);
    const ack = await on.relay.ask(renewal);
    assert.deepEqual([type(ack), get(ack.options, "leaseTime")], ["ACK", 60]);
  }
  assert.equal(on.leases.batches.length, 5);
});

test("what was given back is not promised again from memory", async () => {
  await using on = await lab();
  const { answer } = await dora(on.relay, LAB.mac);
  await on.site.settled();
  on.relay.send(packet({ messageType: "RELEASE" }, { ciaddr: answer.yiaddr }));
  await on.relay.ask(selecting(answer, LAB.mac));
  assert.deepEqual(
    on.leases.batches.flat().map((one) => one.do),
    ["bind", "release", "bind"],
  );
});

test("who has stopped asking is let go when its turn comes, who asks again is not", async () => {
  await using on = await lab(undefined, { maxBatch: 1, patienceSeconds: 10 });
  const first = selecting(await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(1) })), mac(1));
  const second = selecting(await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(2) })), mac(2));
  const { open } = await waiting(on, LAB.mac);
  on.relay.send(first);
  on.relay.send(second);
  assert.equal(type(await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(3) }))), "OFFER", "all was read");
  on.site.clock.advance(11_000);
  on.relay.send(second);
  await until(async () => (await silences(on, "repeated-while-pending")) === 1);
  open();
  await until(async () => (await silences(on, "client-gave-up")) === 1);
});

test("while those that wait will hardly be served in time, no new client is invited, but one that waits may begin anew", async () => {
  await using on = await lab(undefined, { patienceSeconds: 10 });
  const slow = await waiting(on, mac(1));
  on.site.clock.advance(60_000); // the database takes a minute
  slow.open();
  assert.equal(type(await on.relay.next()), "ACK");
  const { open } = await waiting(on, mac(2));
  on.relay.send(packet({ messageType: "DISCOVER" }, { mac: mac(3) }));
  await until(async () => (await silences(on, "pending-leases-first")) === 1);
  assert.equal(type(await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(2) }))), "OFFER");
  open();
  assert.equal(type(await on.relay.next()), "ACK");
  assert.equal(
    type(await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(3) }))),
    "OFFER",
    "now there is room",
  );
});
