import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { ControlAway, controlAt } from "../src/control.ts";
import { reload } from "../src/reload.ts";
import { ControlServer, folder } from "./site.ts";

async function server() {
  await using parts = new AsyncDisposableStack();
  const at = parts.use(await folder());
  const path = join(at.path, "ctl");
  const unbound = parts.use(await new ControlServer().listen(path));
  const owned = parts.move();
  return { path, unbound, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test("a command is one line and its answer is read to the end", async () => {
  await using at = await server();
  at.unbound.answer = () => "ok\n";
  assert.deepEqual(await controlAt(at.path)("flush a.lab.test"), { is: "ok", text: "ok\n" });
  assert.deepEqual(at.unbound.lines, ["UBCT1 flush a.lab.test\n"]);
});

test("an error answer is a refusal with unbound's reason", async () => {
  await using at = await server();
  at.unbound.answer = () => "error no hostname specified\n";
  assert.deepEqual(await controlAt(at.path)("flush"), {
    is: "refused",
    because: "command-refused",
    fault: "error no hostname specified",
  });
});

test("a release without reload_keep_cache reloads without it", async () => {
  await using at = await server();
  at.unbound.answer = (command) => (command === "reload" ? "ok\n" : `error unknown command '${command}'\n`);
  assert.equal((await reload(controlAt(at.path))).is, "ok");
  assert.deepEqual(at.unbound.commands, ["reload_keep_cache", "reload"]);
});

for (const [what, answer] of [
  ["says nothing", undefined],
  ["closes without a word", ""],
  ["talks without end", "x".repeat(2 << 20)],
] as const) {
  test(`a control socket that ${what} counts as away`, async () => {
    await using at = await server();
    at.unbound.answer = () => answer;
    await assert.rejects(controlAt(at.path, 200)("status"), ControlAway);
  });
}

test("a missing control socket counts as away", async () => {
  await using at = await folder();
  await assert.rejects(controlAt(join(at.path, "ctl"))("status"), { code: "FL_UNBOUND_AWAY" });
});

test("a command with two lines is rejected", async () => {
  await assert.rejects(controlAt("/nowhere")("flush a\nreload"), TypeError);
});
