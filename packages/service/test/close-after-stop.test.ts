import assert from "node:assert/strict";
import { test } from "node:test";
import { closeAfterStop, type Running } from "../src/index.ts";

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

test("parts are closed after the daemon's stop, in reverse order of opening", async () => {
  const told: string[] = [];
  await using opened = parts(told);
  const owner = closeAfterStop(
    opened,
    running(async () => void told.push("stopped")),
  );
  await opened.disposeAsync(); // the scope that started it ends
  assert.deepEqual([told, owner.endpoints], [[], { udp: "127.0.0.1:67" }]);
  await owner.stop();
  assert.deepEqual(told, ["stopped", "connection", "database"]);
});

test("parts are closed when the daemon's stop fails", async () => {
  const told: string[] = [];
  const owner = closeAfterStop(
    parts(told),
    running(() => Promise.reject(new Error("stuck"))),
  );
  await assert.rejects(owner.stop(), /stuck/);
  assert.deepEqual(told, ["connection", "database"]);
});
