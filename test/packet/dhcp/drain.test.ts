import assert from "node:assert/strict";
import { test } from "node:test";
import { domain, LAB, prefix, segment } from "@firstlight/kit";
import { formatIPv4 } from "@firstlight/wire";
import { get, type Message } from "@firstlight/wire/dhcp4";
import { packet } from "@firstlight/kit/dhcp4";
import { dora, lab } from "./lab.ts";

const MINUTE = 60_000;
const OLD = prefix({ id: 1, version: 1 });
const NEW = prefix({ id: 2, prefix: "127.66.0.0/24" });

const type = ({ options }: Message) => get(options, "messageType");
const leaseOf = ({ options }: Message) => get(options, "leaseTime");
const renew = (ciaddr: number) => packet({ messageType: "REQUEST" }, { ciaddr });

test("a machine in a prefix that drains renews shorter and shorter, is refused at its end, and moves to the next prefix", async () => {
  await using on = await lab([domain(), segment(), OLD, NEW]);
  const { replica, clock } = on.site;
  const { answer } = await dora(on.relay, LAB.mac);
  assert.match(formatIPv4(answer.yiaddr), /^127\.64\.0\./);
  await on.site.settled();
  replica.learn([{ ...OLD, version: 2, state: "draining", drainBy: clock.now() + 60 * MINUTE }]);

  clock.advance(30 * MINUTE);
  const half = await on.relay.ask(renew(answer.yiaddr));
  assert.deepEqual([type(half), leaseOf(half)], ["ACK", 1800], "to the drain's end and no further");
  clock.advance(15 * MINUTE);
  const quarter = await on.relay.ask(renew(answer.yiaddr));
  assert.deepEqual([type(quarter), leaseOf(quarter)], ["ACK", 900]);
  clock.advance(14.5 * MINUTE);
  const end = await on.relay.ask(renew(answer.yiaddr));
  assert.deepEqual([type(end), get(end.options, "message")], ["NAK", "prefix is draining"]);

  const again = await dora(on.relay, LAB.mac);
  assert.match(formatIPv4(again.answer.yiaddr), /^127\.66\.0\./);
  assert.deepEqual([type(again.answer), leaseOf(again.answer)], ["ACK", 3600]);
});

test("a machine that boots in a prefix that drains gets an address of the next one at once, whatever it remembers", async () => {
  await using on = await lab([domain(), segment(), OLD, NEW]);
  const { answer } = await dora(on.relay, LAB.mac);
  await on.site.settled();
  const drainBy = on.site.clock.now() + 60 * MINUTE;
  on.site.replica.learn([{ ...OLD, version: 2, state: "draining", drainBy }]);
  const reboot = await on.relay.ask(packet({ messageType: "REQUEST", requestedAddress: answer.yiaddr }));
  assert.deepEqual([type(reboot), get(reboot.options, "message")], ["NAK", "prefix is draining"]);
  const offer = await on.relay.ask(packet({ messageType: "DISCOVER", requestedAddress: answer.yiaddr }));
  assert.match(formatIPv4(offer.yiaddr), /^127\.66\.0\./);
});

test("a machine that has nowhere to go keeps its address, a short lease at a time; a stranger hears why there is none", async () => {
  await using on = await lab([domain(), segment(), OLD]);
  const { replica, clock } = on.site;
  const { answer } = await dora(on.relay, LAB.mac);
  await on.site.settled();
  replica.learn([{ ...segment(), version: 2, state: "draining", drainBy: clock.now() + MINUTE }]);
  clock.advance(2 * MINUTE);
  const stays = await on.relay.ask(renew(answer.yiaddr));
  assert.deepEqual([type(stays), leaseOf(stays)], ["ACK", 300]);
  const offer = await on.relay.ask(packet({ messageType: "DISCOVER" }));
  assert.deepEqual([offer.yiaddr, leaseOf(offer)], [answer.yiaddr, 300]);
  on.relay.send(packet({ messageType: "DISCOVER" }, { mac: "02:f1:00:00:01:09" }));
  await until(() => on.reporter.of("dhcp.silence").length === 1);
  const [silence] = on.reporter.of("dhcp.silence");
  assert.equal(silence?.because, "segment-draining");
});

test("a BMC whose pool is full hears nothing, and the record says which pool", async () => {
  const pool = { first: 0x7f40_0020, last: 0x7f40_0020, roles: ["other" as const] };
  await using on = await lab([domain(), segment(), { ...OLD, pools: [pool] }]);
  const { answer } = await dora(on.relay, LAB.mac);
  assert.equal(formatIPv4(answer.yiaddr), "127.64.0.32");
  on.relay.send(packet({ messageType: "DISCOVER" }, { mac: "02:f1:00:00:01:09" }));
  await until(() => on.reporter.of("dhcp.silence").length === 1);
  const [silence] = on.reporter.of("dhcp.silence");
  assert.equal(silence?.because, "pool-full");
  assert.equal(silence?.detail?.["pools"], "127.64.0.32-127.64.0.32");
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}
