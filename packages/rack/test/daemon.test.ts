import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MissingPrerequisite, systemClock } from "@firstlight/service";
import { daemon } from "../src/main.ts";
import { openSite } from "./site/site.ts";

const skip = process.platform === "linux" ? false : "only Linux lets one bind any address of 127.0.0.0/8";

/** All that the rack asks of its surroundings: a clock, and a log that remembers. */
function context(config: object) {
  const lines: string[] = [];
  const write = (_: object, text: string): void => void lines.push(text);
  const parts = { config, clock: systemClock, log: { info: write, fatal: write } };
  return { lines, context: parts as unknown as Parameters<typeof daemon.start>[0] };
}

test("the rack process is ready once its machines have booted", { skip }, async () => {
  await using site = await openSite();
  const on = context(site.options({ machines: 1 }));
  const running = await daemon.start(on.context);
  assert.deepEqual(running.ready(), { ready: false, because: "machines-booting", detail: "machines are booting" });
  while (!running.ready().ready) await sleep(10);
  for (const step of ["power-on", "dhcp.bound", "phone-home", "ready"]) assert.ok(on.lines.includes(step), step);
  assert.match(on.lines.at(-1)!, /^up {6}r1-m01 .* host 127\.74\.0\.\d+, bmc 127\.72\.0\.\d+, dpu 127\.73\.0\.\d+$/);
  await running.stop();
});

test("a rack that cannot bind its relays fails permanently with the reason", { skip }, async () => {
  await using site = await openSite();
  const options = site.options({ machines: 1 });
  const nowhere = { gateway: "192.0.2.1" }; // RFC 5737: no address of this machine
  const dark = { ...options, segments: { ...options.segments, host: nowhere } };
  await assert.rejects(daemon.start(context(dark).context), (error: Error) => {
    assert.ok(error instanceof MissingPrerequisite);
    assert.match(error.message, /^the rack has no power: .*EADDRNOTAVAIL/);
    return true;
  });
});

test("a rack with failed machines is not ready and reports their number", { skip }, async () => {
  await using site = await openSite();
  site.dhcp.moods.push(...Array<"silent">(50).fill("silent"));
  const running = await daemon.start(context(site.options({ machines: 2, deadlineSeconds: 1 })).context);
  while (running.ready().because === "machines-booting") await sleep(10);
  assert.deepEqual(running.ready(), {
    ready: false,
    because: "machines-not-booted",
    detail: "2 machines did not boot",
  });
  await running.stop();
});
