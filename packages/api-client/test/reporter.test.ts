import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { FakeApi } from "@firstlight/kit";
import { pino } from "pino";
import { Registry } from "prom-client";
import { openSpoolFile } from "../src/spool-file.ts";
import { createReporter } from "../src/reporter.ts";

async function parts(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), "firstlight-spool-"));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, "spool", "toy.jsonl");
  const make = (api: FakeApi) => {
    const metrics = new Registry();
    return createReporter({
      api,
      spoolFile: openSpoolFile(file),
      clock: { now: Date.now },
      log: pino({ enabled: false }),
      metrics,
    });
  };
  return { file, make };
}

test("events arrive once and in order", async (t) => {
  const { make } = await parts(t);
  const api = new FakeApi();
  await using reporter = await make(api);
  for (let i = 0; i < 600; i++) reporter.report({ kind: "dhcp.offer", because: `${i}` });
  assert.equal(await reporter.flush(5_000), 0);
  assert.deepEqual(
    [...api.events.values()].map((event) => Number(event.because)),
    Array.from({ length: 600 }, (_, i) => i),
  );
});

test("unsent events are sent after the next start", async (t) => {
  const { make, file } = await parts(t);
  const away = new FakeApi();
  away.down = true;
  {
    await using reporter = await make(away);
    reporter.report({ kind: "dhcp.silence", because: "no segment" });
    assert.equal(await reporter.flush(50), 1);
  }
  const back = new FakeApi();
  await using reporter = await make(back);
  assert.equal(await reporter.flush(5_000), 0);
  assert.deepEqual(
    [...back.events.values()].map((event) => event.because),
    ["no segment"],
  );
  await reporter[Symbol.asyncDispose]();
  await assert.rejects(readFile(file), { code: "ENOENT" });
});

test("torn lines of the spool file are skipped at start", async (t) => {
  const { make, file } = await parts(t);
  await (await make(new FakeApi()))[Symbol.asyncDispose]();
  await openSpoolFile(file).save([{ id: "a", at: 1, kind: "dhcp.nak" }]);
  await writeFile(file, `${await readFile(file, "utf8")}null\n{"id":"b","at":2,"ki`);
  const api = new FakeApi();
  await using reporter = await make(api);
  assert.equal(await reporter.flush(5_000), 0);
  assert.deepEqual([...api.events.keys()], ["a"]);
});

test("an event is truncated to the API's limits", async (t) => {
  const { make } = await parts(t);
  const api = new FakeApi();
  await using reporter = await make(api);
  const detail = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, "x".repeat(10_000)]));
  reporter.report({ kind: "pxe.refused", because: `a\nb${"c".repeat(5_000)}`, detail });
  await reporter.flush(5_000);
  const [event] = api.events.values();
  assert.equal(event?.because?.length, 1024);
  assert.ok(event.because.startsWith("a b"));
  assert.equal(Object.keys(event.detail ?? {}).length, 32);
});
