import assert from "node:assert/strict";
import { test } from "node:test";
import { LAB, iface, lease, readMac, segment, prefix, domain, expected } from "@firstlight/kit";
import { formatIPv4 } from "@firstlight/wire";
import { get, type Message } from "@firstlight/wire/dhcp4";
import { ip, packet } from "@firstlight/kit/dhcp4";
import { dora, lab, ROWS, selecting } from "./lab.ts";

const type = ({ options }: Message) => get(options, "messageType");
const mac = (n: number) => `02:f1:00:00:01:${n.toString(16).padStart(2, "0")}`;

test("a machine behind a relay gets an address, and the database knew before the machine did", async () => {
  await using on = await lab();
  const gate = Promise.withResolvers<void>();
  const offer = await on.relay.ask(packet({ messageType: "DISCOVER" }));
  assert.equal(on.leases.batches.length, 0, "an offer writes nothing");
  on.leases.gate = gate.promise;
  on.relay.send(selecting(offer, LAB.mac));
  const other = await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(9) })); // the server has read both
  assert.equal(type(other), "OFFER");
  assert.notEqual(other.yiaddr, offer.yiaddr, "the first offer is held");
  assert.deepEqual(on.relay.received, [], "no ACK before the commit");
  gate.resolve();
  const ack = await on.relay.next();
  assert.equal(type(ack), "ACK");
  assert.equal(ack.yiaddr, offer.yiaddr);
  assert.equal(get(ack.options, "hostName"), formatIPv4(ack.yiaddr).replaceAll(".", "-"));
  assert.equal(get(ack.options, "serverId"), ip("127.0.0.1"));
});

test("a storm of machines gets distinct addresses in few transactions", async () => {
  await using on = await lab();
  const macs = Array.from({ length: 60 }, (_, n) => mac(n));
  for (const each of macs) on.relay.send(packet({ messageType: "DISCOVER" }, { mac: each }));
  const offers: Message[] = [];
  for (const _ of macs) offers.push(await on.relay.next());
  for (const offer of offers) on.relay.send({ ...selecting(offer, LAB.mac), chaddr: offer.chaddr });
  const acks: Message[] = [];
  for (const _ of macs) acks.push(await on.relay.next());
  assert.ok(acks.every((ack) => type(ack) === "ACK"));
  assert.equal(new Set(acks.map(({ yiaddr }) => yiaddr)).size, macs.length);
  assert.equal(on.leases.batches.flat().length, macs.length);
});

test("an address just given is offered to nobody else before the replica has seen its lease", async () => {
  await using on = await lab([domain(), segment({ allocation: "sequential" }), prefix()]);
  on.site.source.down = new Error("the feed is away");
  const { answer } = await dora(on.relay, LAB.mac);
  const other = await on.relay.ask(packet({ messageType: "DISCOVER" }, { mac: mac(9) }));
  assert.equal(on.site.replica.lease(answer.yiaddr), undefined, "the replica lags");
  assert.equal(type(other), "OFFER");
  assert.notEqual(other.yiaddr, answer.yiaddr);
});

test("the loser of a race is NAKed with the constraint's reason, through the relay with the broadcast bit", async () => {
  await using on = await lab();
  const offer = await on.relay.ask(packet({ messageType: "DISCOVER" }));
  on.leases.keep(lease({ address: offer.yiaddr, identity: readMac(mac(7)), interface: 7 })); // another replica was faster
  const answer = await on.relay.ask(selecting(offer, LAB.mac));
  assert.equal(type(answer), "NAK");
  assert.equal(get(answer.options, "message"), "address is bound to another interface");
  assert.equal(answer.flags, 0x8000);
  assert.equal(on.reporter.of("dhcp.nak")[0]?.because, "address-bound-elsewhere");
});

test("renewal, release, and the same address again", async () => {
  await using on = await lab();
  const { answer } = await dora(on.relay, LAB.mac);
  await on.site.settled();
  on.site.clock.advance(1_800_000);
  const renewed = await on.relay.ask(packet({ messageType: "REQUEST" }, { ciaddr: answer.yiaddr }));
  assert.deepEqual([type(renewed), renewed.yiaddr, renewed.ciaddr], ["ACK", answer.yiaddr, answer.yiaddr]);
  await on.site.settled();
  on.relay.send(packet({ messageType: "RELEASE" }, { ciaddr: answer.yiaddr }));
  const again = await dora(on.relay, LAB.mac);
  assert.equal(again.answer.yiaddr, answer.yiaddr);
});

test("a replica that lags asks the database before it says no", async () => {
  await using on = await lab();
  const own = iface({ id: 5, identity: mac(5) });
  on.leases.keep(own);
  on.leases.keep(lease({ address: "127.64.0.77", identity: own.identity, interface: 5 }));
  const answer = await on.relay.ask(
    packet({ messageType: "REQUEST", requestedAddress: ip("127.64.0.77") }, { mac: mac(5) }),
  );
  assert.deepEqual([type(answer), formatIPv4(answer.yiaddr)], ["ACK", "127.64.0.77"]);
  assert.equal(on.leases.lookups, 1);
});

test("with the database away a bound machine goes on, a new one waits, and both have their reason", async () => {
  await using on = await lab();
  const { answer } = await dora(on.relay, LAB.mac);
  await on.site.settled();
  on.leases.down = new Error("database away");
  on.site.clock.advance(24 * 3_600_000); // expired 23 h ago, within its day of grace
  on.relay.send(packet({ messageType: "DISCOVER" }, { mac: mac(2) }));
  const offer = await on.relay.next();
  on.relay.send(selecting(offer, mac(2)));
  const renewed = await on.relay.ask(packet({ messageType: "REQUEST" }, { ciaddr: answer.yiaddr }));
  assert.equal(type(renewed), "ACK");
  assert.equal(get(renewed.options, "leaseTime"), 3540, "ends a minute before anybody else could get it");
  assert.deepEqual(
    on.reporter.of("dhcp.silence").map(({ because }) => because),
    ["database-away-not-bound"],
  );
  on.site.clock.advance(3_600_000);
  on.relay.send(packet({ messageType: "REQUEST" }, { ciaddr: answer.yiaddr }));
  await until(() => on.reporter.of("dhcp.silence").length === 2);
  assert.equal(on.reporter.of("dhcp.silence")[1]?.because, "database-away-grace-over");
});

test("only expected devices get an address where the segment says so", async () => {
  const rows = [domain(), segment({ admission: "expected" }), prefix(), expected({ mac: mac(1), label: "bmc-1" })];
  await using on = await lab(rows);
  on.relay.send(packet({ messageType: "DISCOVER" }, { mac: mac(2) }));
  const { answer } = await dora(on.relay, mac(1));
  assert.equal(get(answer.options, "hostName"), "bmc-1");
  await until(() => on.reporter.of("dhcp.silence").length === 1);
  assert.equal(on.reporter.of("dhcp.silence")[0]?.because, "device-not-expected");
});

test("a relay that is not trusted is not served, and a flood from one machine starves nobody", async () => {
  await using strange = await lab(ROWS, { relays: ["10.0.0.0/8"] });
  strange.relay.send(packet({ messageType: "DISCOVER" }));
  await silence(strange, "relay-not-trusted");
  await using on = await lab(ROWS, { perClient: { perSecond: 1, burst: 2 } });
  for (let n = 0; n < 20; n++) on.relay.send(packet({ messageType: "DISCOVER" }));
  await silence(on, "client-limit");
  const { answer } = await dora(on.relay, mac(3)).catch(() => ({ answer: undefined }));
  assert.ok(answer);
});

test("draining answers what is under way and takes nothing new", async () => {
  await using on = await lab();
  const gate = Promise.withResolvers<void>();
  const offer = await on.relay.ask(packet({ messageType: "DISCOVER" }));
  on.leases.gate = gate.promise;
  on.relay.send(selecting(offer, LAB.mac));
  await until(() => on.leases.batches.length === 1);
  const drained = on.running.drain();
  gate.resolve();
  assert.equal(type(await on.relay.next()), "ACK");
  await drained;
});

async function silence(on: { metrics: { getSingleMetricAsString(name: string): Promise<string> } }, because: string) {
  await until(async () =>
    (await on.metrics.getSingleMetricAsString("firstlight_dhcp_silences_total")).includes(`because="${because}"`),
  );
}

/** Looks until it is so; the test's own time limit is the only clock. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2));
}
