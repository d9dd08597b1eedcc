import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bind, LeaseRequest, Outcome } from "@firstlight/ipam";
import { Committer } from "../src/lease/committer.ts";

const bind = (mac: number, address = mac): Bind => ({
  do: "bind",
  segment: 1,
  identity: mac,
  address,
  leaseSeconds: 60,
});
const refused: Outcome = { is: "refused", because: "segment" as never };

/** A store whose commits are finished by hand. */
function store() {
  const batches: { requests: readonly LeaseRequest[]; done: PromiseWithResolvers<Outcome[]> }[] = [];
  return {
    batches,
    commit(requests: readonly LeaseRequest[]) {
      const done = Promise.withResolvers<Outcome[]>();
      batches.push({ requests, done });
      return done.promise;
    },
    finish(nth: number) {
      batches[nth]!.done.resolve(batches[nth]!.requests.map(() => refused));
    },
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));
const limits = { actor: "test", maxBatch: 3, maxPending: 5, deadlineMs: 60_000 };

test("while one transaction is under way, the next batch forms", async () => {
  const slow = store();
  const committer = new Committer({ ...limits, store: slow });
  const first = committer.submit(bind(1));
  await turn();
  const rest = [committer.submit(bind(2)), committer.submit(bind(3))];
  await turn();
  assert.equal(slow.batches.length, 1);
  slow.finish(0);
  await first;
  await turn();
  assert.deepEqual(slow.batches[1]!.requests, [bind(2), bind(3)]);
  slow.finish(1);
  await Promise.all(rest);
  assert.equal(committer.pending, 0);
});

test("a lone request goes at once, one close behind waits for company, and many go at once again", async () => {
  const slow = store();
  const committer = new Committer({ ...limits, maxBatch: 64, maxPending: 100, gatherMs: 60_000, store: slow });
  const first = committer.submit(bind(1));
  await turn();
  assert.equal(slow.batches.length, 1);
  const many = Array.from({ length: 64 }, (_, n) => committer.submit(bind(n + 2)));
  slow.finish(0);
  await first;
  await turn();
  assert.equal(slow.batches[1]?.requests.length, 64);
  void committer.submit(bind(99));
  slow.finish(1);
  await Promise.all(many);
  await turn();
  assert.equal(slow.batches.length, 2);
});

test("a batch holds one request of an interface, and no more than it may", async () => {
  const slow = store();
  const committer = new Committer({ ...limits, store: slow });
  const all = [bind(1, 10), bind(1, 11), bind(2), bind(3), bind(4)].map((request) => committer.submit(request));
  await turn();
  slow.finish(0);
  await turn();
  slow.finish(1);
  await Promise.all(all);
  assert.deepEqual(slow.batches[0]!.requests, [bind(1, 10), bind(2), bind(3)]);
  assert.deepEqual(slow.batches[1]!.requests, [bind(1, 11), bind(4)]);
});

test("the same request again shares the first one's outcome", async () => {
  const slow = store();
  const committer = new Committer({ ...limits, store: slow });
  const [a, b] = [committer.submit(bind(1)), committer.submit(bind(1))];
  await turn();
  const c = committer.submit(bind(1));
  assert.equal(committer.pending, 1);
  slow.finish(0);
  assert.deepEqual(await Promise.all([a, b, c]), [refused, refused, refused]);
});

test("a request behind another of the same interface is not taken for the one before that", async () => {
  const slow = store();
  const committer = new Committer({ ...limits, store: slow });
  const release: LeaseRequest = { do: "release", segment: 1, identity: 1, address: 1 };
  const all = [committer.submit(bind(1))];
  await turn();
  all.push(committer.submit(release), committer.submit(bind(1)));
  for (const nth of [0, 1, 2]) {
    slow.finish(nth);
    await turn();
  }
  await Promise.all(all);
  assert.deepEqual(
    slow.batches.map(({ requests }) => requests),
    [[bind(1)], [release], [bind(1)]],
  );
});

test("a full queue says so at once, and a failing commit promises nothing to anybody in it", async () => {
  const slow = store();
  const faults: unknown[] = [];
  const committer = new Committer({ ...limits, store: slow, onFault: (fault) => faults.push(fault) });
  const all = [1, 2, 3, 4, 5].map((mac) => committer.submit(bind(mac)));
  assert.deepEqual(await committer.submit(bind(6)), { is: "busy" });
  await turn();
  const gone = new Error("database away");
  slow.batches[0]!.done.reject(gone);
  const settled = await Promise.allSettled(all.slice(0, 3));
  assert.ok(settled.every(({ status }) => status === "rejected"));
  assert.deepEqual(faults, [gone]);
  await turn();
  slow.finish(1);
  assert.deepEqual(await Promise.all(all.slice(3)), [refused, refused], "the next batch is not harmed");
});
