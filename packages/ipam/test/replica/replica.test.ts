import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, Followed } from "@firstlight/ipam";
import {
  dnsName,
  untilCaughtUp,
  CLOCK_START,
  domain,
  iface,
  lease,
  ManualClock,
  MemorySource,
  name,
  prefix,
  readAddress,
  readMac,
  segment,
  siteOf,
} from "@firstlight/kit";
import { createReplica } from "../../src/rooms/replica.ts";

const LAB = [domain(), segment(), prefix()];
const ADDRESS = readAddress("127.64.0.12");
const MAC = readMac("02:f1:00:00:00:01");

test("a loaded replica answers by every key", async () => {
  await using site = await siteOf([...LAB, iface(), lease(), name()]);
  const { replica } = site;
  assert.equal(replica.lease(ADDRESS)?.identity, MAC);
  assert.equal(replica.lease(ADDRESS, "other"), undefined);
  assert.equal(replica.interface(1, MAC)?.id, 1);
  assert.equal(replica.interfacesOf(MAC).length, 1);
  assert.equal(replica.leaseOf(1)?.address, ADDRESS);
  assert.equal(replica.leaseOf(1, 6), undefined);
  assert.equal(replica.segmentOf(ADDRESS)?.name, "rack");
  assert.equal(replica.domainNamed(dnsName("lab.test"))?.id, 1);
  assert.deepEqual(
    [...replica.names(1)].map((row) => row.owner),
    ["www.lab.test"],
  );
  assert.equal(replica.leasesAt(ADDRESS).length, 1);
  assert.deepEqual(site.following.ready(), { ready: true, stalenessMs: 0 });
});

test("a changed row is applied before listeners are called, and they get the row that it replaced", async () => {
  await using site = await siteOf([...LAB, iface(), lease()]);
  const seen: Followed[] = [];
  using _following = site.replica.follow((event) => {
    assert.equal(site.replica.lease(ADDRESS)?.state, "released");
    seen.push(event);
  });
  site.source.push(lease({ state: "released" }));
  await site.settled();
  assert.equal(seen.length, 1);
  const [event] = seen;
  assert(event?.is === "changes");
  const [change] = event.changes;
  assert.ok(change?.is === "row" && change.before?.kind === "lease");
  assert.equal(change.before.state, "bound");
});

test("a row that was learnt before the feed brought it is not replaced by an older one", async () => {
  await using site = await siteOf([...LAB, iface()]);
  site.replica.learn([lease({ version: 3 })]);
  site.source.commit({
    kind: "lease",
    key: "default/127.64.0.12",
    version: 2,
    dns: true,
    row: lease({ version: 2, state: "released" }),
  });
  await site.settled();
  assert.equal(site.replica.lease(ADDRESS)?.state, "bound");
  assert.equal(site.replica.lease(ADDRESS)?.version, 3);
});

test("a tombstone refuses an older version of the row and accepts a newer one", async () => {
  await using site = await siteOf([...LAB, iface(), name({ version: 4 })]);
  site.source.remove(name()); // version 5
  await site.settled();
  site.replica.learn([name({ version: 4 })]);
  assert.deepEqual(site.replica.namesAt(dnsName("www.lab.test")), []);
  site.source.push(name({ version: 6 }));
  await site.settled();
  assert.equal(site.replica.namesAt(dnsName("www.lab.test")).length, 1);
});

test("changes of names advance the position of the serial, renewals do not", async () => {
  await using site = await siteOf([...LAB, iface(), lease()]);
  site.source.push(lease({ expiresAt: CLOCK_START + 7_200_000 })); // position 1
  await site.settled();
  assert.equal(site.replica.dnsPosition, 0);
  site.source.push(lease({ state: "released" })); // position 2
  await site.settled();
  assert.equal(site.replica.dnsPosition, 2);
});

test("a new epoch replaces all rows, and listeners get a reload", async () => {
  await using site = await siteOf([...LAB, iface(), lease()]);
  const seen: string[] = [];
  using _following = site.replica.follow((event) => seen.push(event.is));
  site.source.restore([domain({ name: "other.test" })]);
  await site.settled();
  assert.deepEqual(seen, ["reload"]);
  assert.equal(site.replica.lease(ADDRESS), undefined);
  assert.equal(site.replica.domainNamed(dnsName("other.test"))?.id, 1);
  assert(site.replica.dnsPosition >= 2 ** 20, "serials never go back");
});

test("a position that is missing in the feed is reported, and all rows are loaded again", async () => {
  const holes: number[] = [];
  await using site = await siteOf(LAB, { onGap: (at) => holes.push(at.position) });
  site.source.commit({ position: 7, kind: "lease", key: "default/127.64.0.12", version: 1, dns: true, row: lease() });
  await site.settled();
  assert.deepEqual(holes, [0]);
  assert.equal(site.source.loads, 2);
  assert.equal(site.replica.lease(ADDRESS)?.identity, MAC);
});

test("a change that arrives twice is applied once", async () => {
  await using site = await siteOf(LAB);
  const [change] = site.source.push(iface()) as [Change];
  await site.settled();
  const seen: Followed[] = [];
  using _following = site.replica.follow((event) => seen.push(event));
  assert.equal(site.replica.at.position, change.position);
  site.source.notify();
  site.source.push(lease());
  await site.settled();
  assert.deepEqual(
    seen.flatMap((event) => (event.is === "changes" ? event.changes.map(({ position }) => position) : [])),
    [2],
  );
});

test("after a lost notification the next poll brings the change", async () => {
  await using site = await siteOf(LAB);
  site.source.isSilent = true;
  site.source.push(iface());
  await site.settled();
  assert.equal(site.replica.interfaceById(1)?.identity, MAC);
});

test("more changes than fit into one batch all arrive in order", async () => {
  await using site = await siteOf(LAB, { batch: 3 });
  for (let id = 1; id <= 20; id++) site.source.push(iface({ id, identity: id }));
  await site.settled();
  assert.equal(site.replica.at.position, 20);
  assert.equal(site.replica.interfaceById(20)?.identity, 20);
});

test("while the database is away the replica answers and its age grows; once the database is back the age is 0", async () => {
  await using site = await siteOf([...LAB, iface(), lease()]);
  site.source.down = new Error("connection refused");
  site.clock.advance(12_000);
  site.source.notify();
  assert.equal(site.replica.stalenessMs(), 12_000);
  assert.equal(site.replica.lease(ADDRESS)?.state, "bound");
  site.source.down = undefined;
  site.source.push(lease({ state: "released" }));
  await site.settled();
  assert.equal(site.replica.lease(ADDRESS)?.state, "released");
});

test("a follower whose feed is silent reports it, although no call has failed", async () => {
  await using site = await siteOf(LAB, { pollMs: 3_600_000 });
  site.clock.advance(10_000);
  assert.deepEqual(site.following.ready(), { ready: true, stalenessMs: 10_000 });
  site.clock.advance(50_000);
  assert.deepEqual(site.following.ready(), {
    ready: true,
    because: "feed-silent",
    detail: "the feed has not answered for 60 s, serving the replica",
    stalenessMs: 60_000,
  });
});

test("the replica estimates the database's clock, whatever its own clock shows", async () => {
  const clock = new ManualClock();
  const source = new MemorySource(LAB, new ManualClock(CLOCK_START + 90_000));
  const { replica, follower } = await createReplica(source, clock);
  clock.advance(1000);
  assert.equal(replica.databaseNow(), CLOCK_START + 91_000);
  await follower.stop();
});

test("without database and snapshot a replica is empty, not ready, and keeps trying", async () => {
  const clock = new ManualClock();
  const source = new MemorySource(LAB, clock);
  source.down = new Error("connection refused");
  const { replica, follower, ready } = await createReplica(source, clock, { backoff: { baseMs: 1, maxMs: 2 } });
  assert.deepEqual(ready(), {
    ready: false,
    because: "replica-not-loaded",
    detail: "nothing loaded yet: the database has not been reached",
  });
  assert.equal(replica.stalenessMs(), Infinity);
  source.down = undefined;
  await untilCaughtUp(replica, source);
  assert.equal(replica.segment(1)?.name, "rack");
  await follower.stop();
});
