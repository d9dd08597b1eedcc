import assert from "node:assert/strict";
import { test } from "node:test";
import { NOT_RUNNING, replicaReadiness } from "../src/index.ts";

test("a replica that follows its feed is ready and nothing is degraded", () => {
  assert.deepEqual(replicaReadiness({ isLoaded: true, stalenessMs: 10_000 }), { ready: true, stalenessMs: 10_000 });
});

test("a replica without rows is not ready", () => {
  assert.deepEqual(replicaReadiness({ isLoaded: false, stalenessMs: Infinity, outage: { lastsMs: 0 } }), {
    ready: false,
    because: "replica-not-loaded",
    detail: "nothing loaded yet: the database has not been reached",
  });
});

test("a loaded replica stays ready during an outage and names its duration", () => {
  const { ready, because, detail } = replicaReadiness({ isLoaded: true, stalenessMs: 1, outage: { lastsMs: 12_400 } });
  assert.deepEqual([ready, because, detail], [true, "database-away", "database away for 12 s, serving the replica"]);
});

test("a fault that an operator can act on is the sentence, with and without a replica", () => {
  const fault = "database has no schema ipam (run: firstlight migrate)";
  const outage = { lastsMs: 0, fault };
  const empty = replicaReadiness({ isLoaded: false, stalenessMs: Infinity, outage });
  assert.deepEqual(empty, { ready: false, because: "feed-fault", detail: fault });
  const serving = replicaReadiness({ isLoaded: true, stalenessMs: 5, outage });
  assert.deepEqual(serving, {
    ready: true,
    because: "feed-fault",
    detail: `${fault}, serving the replica`,
    stalenessMs: 5,
  });
});

test("a feed that has not answered for more than 10 s is reported as silent", () => {
  const { ready, because, detail } = replicaReadiness({ isLoaded: true, stalenessMs: 60_000 });
  assert.deepEqual(
    [ready, because, detail],
    [true, "feed-silent", "the feed has not answered for 60 s, serving the replica"],
  );
});

test("a daemon without a process is not ready", () => {
  assert.deepEqual(NOT_RUNNING, { ready: false, because: "not-running", detail: "not running" });
});
