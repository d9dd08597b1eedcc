import assert from "node:assert/strict";
import test from "node:test";
import { domain, iface, lease, name, siteOf } from "@firstlight/kit";
import { affectedBy, type Followed } from "@firstlight/ipam";
import { FlushQueue } from "../src/flush-queue.ts";
import { flushesOf } from "../src/flush.ts";
import { ROWS } from "./site.ts";

const none = (): string[] => [];

function all(flushQueue: FlushQueue, now: number): string[] {
  const taken: string[] = [];
  for (let flush = flushQueue.take(now); flush !== undefined; flush = flushQueue.take(now)) taken.push(flush);
  return taken;
}

test("a changed name is flushed at once and again after the settle time", () => {
  const flushQueue = new FlushQueue({ settleMs: 1000, most: 10 });
  flushQueue.add(["flush a"], none, 0);
  assert.equal(flushQueue.dueAt, 0);
  assert.deepEqual(all(flushQueue, 0), ["flush a"]);
  assert.equal(flushQueue.dueAt, 1000);
  assert.deepEqual(all(flushQueue, 999), []);
  assert.deepEqual(all(flushQueue, 1000), ["flush a"]);
  assert.equal(flushQueue.dueAt, Infinity);
});

test("repeated changes of a name are flushed together", () => {
  const flushQueue = new FlushQueue({ settleMs: 1000, most: 10 });
  for (let now = 0; now < 10; now++) flushQueue.add(["flush a"], none, now);
  assert.deepEqual(all(flushQueue, 10), ["flush a"]);
  assert.deepEqual(all(flushQueue, 1008), []);
  assert.deepEqual(all(flushQueue, 1009), ["flush a"]);
});

test("a failed flush is retried", () => {
  const flushQueue = new FlushQueue({ settleMs: 0, most: 10 });
  flushQueue.add(["flush a"], none, 0);
  flushQueue.retry(flushQueue.take(0)!);
  assert.equal(flushQueue.pending, 1);
  assert.deepEqual(all(flushQueue, 0), ["flush a"]);
});

test("beyond the bound whole zones are flushed", () => {
  const flushQueue = new FlushQueue({ settleMs: 1000, most: 3 });
  for (const flush of ["flush a", "flush b", "flush c", "flush d"]) flushQueue.add([flush], () => ["lab.test"], 0);
  assert.deepEqual(all(flushQueue, 0), ["flush_zone lab.test"]);
  assert.deepEqual(all(flushQueue, 1000), ["flush_zone lab.test"]);
});

/** What a transaction means to unbound. */
async function told(change: (site: Awaited<ReturnType<typeof siteOf>>) => void): Promise<string[]> {
  await using site = await siteOf([...ROWS, iface({ label: "node-1" })]);
  const said: string[] = [];
  using _following = site.replica.follow((event: Followed) => {
    if (event.is === "changes") said.push(...flushesOf(affectedBy(site.replica, event.changes), event.changes));
  });
  change(site);
  await site.settled();
  return said.toSorted();
}

test("a new lease flushes its name and its reverse name", async () => {
  const said = await told(({ source }) => source.push(lease({ address: "127.64.0.12" })));
  assert.deepEqual(said, ["flush 12.0.64.127.in-addr.arpa", "flush node-1.lab.test"]);
});

test("a renamed machine flushes its old name and its new one", async () => {
  const said = await told(({ source }) => {
    source.push(lease({ address: "127.64.0.12" }));
    source.push(iface({ label: "node-2" }));
  });
  assert.ok(said.includes("flush node-1.lab.test") && said.includes("flush node-2.lab.test"));
});

test("a renewal flushes nothing", async () => {
  const said = await told(({ source }) => {
    source.push(lease());
    source.push(lease({ expiresAt: lease().expiresAt + 1 }));
  });
  assert.equal(said.filter((one) => one === "flush node-1.lab.test").length, 1);
});

test("a TXT record is flushed by its type", async () => {
  const said = await told(({ source }) => source.push(name({ type: "TXT", data: '"hello"' })));
  assert.deepEqual(said, ["flush www.lab.test", "flush_type www.lab.test TXT"]);
});

test("a name with a space is never sent to unbound", async () => {
  const said = await told(({ source }) => source.push(name({ owner: "a\nreload.lab.test" })));
  assert.deepEqual(said, []);
});

test("a new zone flushes no single names", async () => {
  assert.deepEqual(await told(({ source }) => source.push(domain({ id: 2, name: "more.test" }))), []);
});
