import assert from "node:assert/strict";
import { test } from "node:test";
import { owning, type Running } from "../src/index.ts";

function parts(told: string[]): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  for (const name of ["database", "connection"]) stack.defer(() => void told.push(name));
  return stack;
}

const running = (stop: () => Promise<void>): Running => ({
  endpoints: { udp: "127.0.0.1:67" },
  ready: () => ({ ready: true }),
  drain: () => Promise.resolve(),
  stop,
});

test("what a daemon was started on is closed after it has stopped, the last opened first", async () => {
  const told: string[] = [];
  await using opened = parts(told);
  const owner = owning(
    opened,
    running(async () => void told.push("stopped")),
  );
  await opened.disposeAsync(); // the scope that started it ends
  assert.deepEqual([told, owner.endpoints], [[], { udp: "127.0.0.1:67" }]);
  await owner.stop();
  assert.deepEqual(told, ["stopped", "connection", "database"]);
});

test("a daemon that does not stop cleanly leaves nothing open", async () => {
  const told: string[] = [];
  const owner = owning(
    parts(told),
    running(() => Promise.reject(new Error("stuck"))),
  );
  await assert.rejects(owner.stop(), /stuck/);
  assert.deepEqual(told, ["connection", "database"]);
});
