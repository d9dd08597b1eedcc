import assert from "node:assert/strict";
import { test } from "node:test";
import { closeAfterStop, type Running } from "../src/index.ts";

function parts(closed: string[]): AsyncDisposableStack {
  const stack = new AsyncDisposableStack();
  for (const name of ["database", "connection"]) stack.defer(() => void closed.push(name));
  return stack;
}

const running = (stop: () => Promise<void>): Running => ({
  endpoints: { udp: "127.0.0.1:67" },
  ready: () => ({ ready: true }),
  drain: () => Promise.resolve(),
  stop,
});

test("parts are closed after the daemon's stop, in reverse order of opening", async () => {
  const closed: string[] = [];
  await using opened = parts(closed);
  const owner = closeAfterStop(
    opened,
    running(async () => void closed.push("stopped")),
  );
  await opened.disposeAsync(); // the scope that started it ends
  assert.deepEqual([closed, owner.endpoints], [[], { udp: "127.0.0.1:67" }]);
  await owner.stop();
  assert.deepEqual(closed, ["stopped", "connection", "database"]);
});

test("parts are closed when the daemon's stop fails", async () => {
  const closed: string[] = [];
  const owner = closeAfterStop(
    parts(closed),
    running(() => Promise.reject(new Error("stuck"))),
  );
  await assert.rejects(owner.stop(), /stuck/);
  assert.deepEqual(closed, ["connection", "database"]);
});
