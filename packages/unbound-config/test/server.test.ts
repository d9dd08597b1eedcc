import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { domain, iface, lease, MemorySource, prefix } from "@firstlight/kit";
import { createReplica } from "@firstlight/ipam/replica";
import { type Context, systemClock } from "@firstlight/service";
import { Registry } from "prom-client";
import { place } from "../src/apply.ts";
import { check } from "../src/check.ts";
import { unboundConfigSchema } from "../src/config.ts";
import { daemon } from "../src/main.ts";
import { startUnboundConfig } from "../src/start.ts";
import { ControlServer, folder, lab, ROWS, SILENT } from "./site.ts";

/** No checker, as on a machine without unbound. */
const NONE = "no-such-checker";

async function program(path: string, script: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

test("when disabled it is ready and reports the reason", async () => {
  const running = await daemon.start({
    config: unboundConfigSchema.parse(undefined),
    log: SILENT,
  } as unknown as Context<never>);
  assert.equal(running.ready().ready, true);
  assert.match(running.ready().detail!, /enabled is false/);
  await running.drain();
  await running.stop();
});

test("the file is in place after start without a running unbound", async () => {
  await using at = await folder();
  await using own = await lab(at.path, { checkconf: NONE });
  assert.match(await readFile(join(at.path, "unbound.conf"), "utf8"), /name: "lab\.test"/);
  assert.equal(own.running.ready().ready, true);
  assert.match(own.running.ready().detail!, /unbound does not answer/);
});

test("an unbound that starts later is reloaded and flushed", async () => {
  await using at = await folder();
  await using own = await lab(at.path, { checkconf: NONE });
  await using unbound = await new ControlServer().listen(join(at.path, "unbound.ctl"));
  await unbound.told("flush_zone 0.64.127.in-addr.arpa");
  assert.deepEqual(unbound.commands, ["reload_keep_cache", "flush_zone lab.test", "flush_zone 0.64.127.in-addr.arpa"]);
  assert.match(await own.metrics.metrics(), /commands_total\{command="reload_keep_cache",outcome="ok"\} 1/);
});

test("a name changed while unbound is away is flushed on its return", async () => {
  await using at = await folder();
  const socket = join(at.path, "unbound.ctl");
  await using own = await lab(at.path, { checkconf: NONE });
  own.site.source.push(iface({ label: "node-1" }), lease({ address: "127.64.0.12" }));
  await own.site.settled();
  await using unbound = await new ControlServer().listen(socket);
  await unbound.told("flush node-1.lab.test");
  await unbound.told("flush 12.0.64.127.in-addr.arpa");
});

test("nothing is flushed while no dnsd answers", async () => {
  await using at = await folder();
  await using own = await lab(at.path, { checkconf: NONE });
  own.dnsd.goAway();
  await using unbound = await new ControlServer().listen(join(at.path, "unbound.ctl"));
  while (!own.running.ready().detail?.includes("no dnsd answers"))
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(unbound.commands, ["reload_keep_cache"]);
  own.dnsd.comeBack();
  await unbound.told("flush_zone lab.test");
});

test("unbound's end and return are noticed without a change", async () => {
  await using at = await folder();
  const socket = join(at.path, "unbound.ctl");
  await using own = await lab(at.path, { checkconf: NONE, statusMs: 100 });
  {
    await using unbound = await new ControlServer().listen(socket);
    await unbound.told("flush_zone 0.64.127.in-addr.arpa");
    await unbound.told("status");
    assert.equal(own.running.ready().because, undefined);
  }
  while (!own.running.ready().detail?.includes("unbound does not answer"))
    await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(own.running.ready().ready, true);
  await using again = await new ControlServer().listen(socket);
  await again.told("status");
  while (own.running.ready().because !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a zone change is written, reloaded and flushed", async () => {
  await using at = await folder();
  await using own = await lab(at.path, { checkconf: NONE });
  const file = join(at.path, "unbound.conf");
  await using unbound = await new ControlServer().listen(join(at.path, "unbound.ctl"));
  await unbound.told("reload_keep_cache");
  own.site.source.push(domain({ id: 2, name: "more.test" }));
  await unbound.told("flush_zone more.test");
  assert.equal(unbound.commands.filter((one) => one === "reload_keep_cache").length, 2);
  assert.match(await readFile(file, "utf8"), /more\.test/);
  own.site.source.remove(domain({ id: 2, name: "more.test" }));
  await unbound.told("flush_zone more.test", 2);
  assert.doesNotMatch(await readFile(file, "utf8"), /more\.test/);
});

test("an unchanged configuration is not reloaded", async () => {
  await using at = await folder();
  await using own = await lab(at.path, { checkconf: NONE });
  await using unbound = await new ControlServer().listen(join(at.path, "unbound.ctl"));
  await unbound.told("flush_zone 0.64.127.in-addr.arpa");
  own.site.source.push(domain({ ttlSeconds: 30 })); // zones are flushed, the file is the same
  await unbound.told("flush_zone 0.64.127.in-addr.arpa", 2);
  assert.equal(unbound.commands.filter((one) => one === "reload_keep_cache").length, 1);
});

test("a refused configuration is not put in place", async () => {
  await using at = await folder();
  const checkconf = await program(
    join(at.path, "checkconf"),
    `! grep -q 127.65 "$1" || { echo "bad network"; exit 1; }`,
  );
  await using own = await lab(at.path, { checkconf });
  const file = join(at.path, "unbound.conf");
  const before = await readFile(file, "utf8");
  own.site.source.push(prefix({ id: 2, prefix: "127.65.0.0/24" }));
  await own.site.settled();
  while (!own.running.ready().detail?.includes("refused")) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(own.running.ready().detail!, /bad network/);
  assert.equal(own.running.ready().ready, true); // what stood before still serves
  assert.equal(await readFile(file, "utf8"), before);
  assert.ok(existsSync(`${file}.new`)); // to be looked at
});

test("the previous file stays until the replica is loaded", async () => {
  await using at = await folder();
  const file = join(at.path, "unbound.conf");
  await writeFile(file, "# of last time\n");
  const source = new MemorySource(ROWS);
  source.down = new Error("away");
  const following = await createReplica(source, systemClock, { backoff: { baseMs: 1, maxMs: 5 } });
  const running = await startUnboundConfig(
    {
      config: unboundConfigSchema.parse({ enabled: true, checkconf: NONE }),
      site: { site: { stateDir: at.path } },
      log: SILENT,
      metrics: new Registry(),
      clock: systemClock,
    },
    { replica: following.replica, ready: () => following.ready() },
  );
  assert.equal(running.ready().ready, false);
  assert.match(running.ready().detail!, /nothing loaded yet/);
  assert.equal(await readFile(file, "utf8"), "# of last time\n");
  source.down = undefined;
  while (!running.ready().ready) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.match(await readFile(file, "utf8"), /lab\.test/);
  await running.stop();
  await following.follower.stop();
});

test("a control path too long for a Unix socket is refused at start", async () => {
  await assert.rejects(lab("/tmp", { controlSocket: `/tmp/${"x".repeat(110)}` }), /longer than 107 bytes/);
});

test("an unwritable folder is retried", async () => {
  await using at = await folder();
  await writeFile(join(at.path, "blocked"), "");
  await using own = await lab(at.path, { checkconf: NONE, file: join(at.path, "blocked", "unbound.conf") });
  assert.equal(own.running.ready().ready, false);
  assert.match(own.running.ready().detail!, /not applied/);
});

test("an unchanged text is not written again", async () => {
  await using at = await folder();
  const file = join(at.path, "conf", "unbound.conf");
  assert.equal((await place(file, "server:\n", NONE)).is, "placed");
  assert.equal((await place(file, "server:\n", NONE)).is, "same");
});

test("a slow or failing checker refuses the configuration", async () => {
  await using at = await folder();
  await mkdir(join(at.path, "bin"));
  assert.deepEqual(await check("/dev/null", NONE), {
    is: "skipped",
    because: "checker-missing",
    fault: `${NONE} is not installed`,
  });
  const failing = await program(join(at.path, "bin", "failing"), "echo wrong >&2; exit 1");
  assert.deepEqual(await check("/dev/null", failing), { is: "unsound", because: "checker-refuses", fault: "wrong" });
});

test("the golden file passes unbound-checkconf", async (t) => {
  const checked = await check(join(import.meta.dirname, "lab.conf"), "unbound-checkconf");
  if (checked.is === "skipped") return t.skip(checked.fault);
  assert.deepEqual(checked, { is: "valid", warnings: "" });
});
