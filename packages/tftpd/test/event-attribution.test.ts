import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { domain, FakeReporter, iface, lease, prefix, readAddress, segment, siteOf } from "@firstlight/kit";
import { macOf } from "@firstlight/ipam";
import { formatMac } from "@firstlight/wire";
import { EventAttribution } from "../src/event-attribution.ts";
import { RateLimit } from "@firstlight/service";

const ADDRESS = "127.64.0.12";

async function lab(rows: Parameters<typeof siteOf>[0], waitMs: number) {
  const site = await siteOf(rows);
  const reporter = new FakeReporter();
  const ofStrangers = new RateLimit<string>({ perSecond: 1, burst: 100 }, 8);
  const attribution = new EventAttribution({ replica: site.replica, reporter, waitMs, ofStrangers, now: () => 0 });
  const report = (file: string): void =>
    attribution.report({ kind: "tftp.start", at: 5, address: ADDRESS, detail: { file } }, readAddress(ADDRESS));
  return { site, reporter, attribution, report, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

const GROUND = [domain(), segment(), prefix(), iface()];

test("an event that comes before its lease is told with its name, in order and with its own time", async () => {
  await using one = await lab(GROUND, 60_000);
  one.report("first");
  one.report("second");
  assert.equal(one.reporter.reported.length, 0);
  const row = lease();
  one.site.source.push(row);
  for (let i = 0; i < 200 && one.reporter.reported.length < 2; i++) await delay(10);
  assert.deepEqual(
    one.reporter.reported.map(({ mac, at, detail }) => [mac, at, detail?.["file"]]),
    [
      [formatMac(macOf(row.identity)!), 5, "first"],
      [formatMac(macOf(row.identity)!), 5, "second"],
    ],
  );
});

test("an event about an address that nobody holds is told without a name, once its time is over or at the stop", async () => {
  await using one = await lab(GROUND, 20);
  one.report("lost");
  for (let i = 0; i < 200 && one.reporter.reported.length < 1; i++) await delay(10);
  assert.deepEqual([one.reporter.reported[0]?.mac, one.reporter.reported[0]?.address], [undefined, ADDRESS]);

  await using other = await lab(GROUND, 60_000);
  other.report("stopped");
  other.attribution.stop();
  assert.equal(other.reporter.reported.length, 1);
});
