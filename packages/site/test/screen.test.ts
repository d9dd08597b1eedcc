import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { Interrupted, interrupted } from "../src/process/interrupt.ts";
import { openScreen } from "../src/up/screen.ts";

test("a daemon that floods its log is cut short on the screen, and the rest is counted", () => {
  let [shown, now] = ["", 0];
  const screen = openScreen({ write: (text) => (shown += text) }, () => now);
  for (let line = 0; line < 100; line += 1)
    screen.warning("dhcpd", { level: "warn", text: `storm ${line}`, fields: {} });
  assert.equal(shown.trimEnd().split("\n").length, 8);
  screen.warning("tftpd", { level: "warn", text: "another", fields: {} });
  assert.match(shown, /tftpd.*another/);
  now = 60_000;
  screen.warning("dhcpd", { level: "warn", text: "later", fields: {} });
  assert.match(shown, /dhcpd: 92 more in its log[\s\S]*later/);
});

test("what a peer wrote cannot move the cursor of an operator", () => {
  let shown = "";
  const screen = openScreen({ write: (text) => (shown += text) });
  screen.warning("dhcpd", { level: "warn", text: "host\u001b[2J\u0007\nname", fields: { vendor: "\u009b31m" } });
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  assert.doesNotMatch(shown.replaceAll(/\u001b\[\d+m/g, "").trimEnd(), /[\u0000-\u001f\u007f-\u009f]/);
});

test("Ctrl-C through npm comes twice and is one; a second one later ends it at once", () => {
  const exits: number[] = [];
  const fake = Object.assign(new EventEmitter(), { exit: (code: number) => exits.push(code) });
  let now = 0;
  const stop = interrupted(fake as unknown as NodeJS.Process, () => now);
  fake.emit("SIGINT");
  fake.emit("SIGINT");
  fake.emit("SIGTERM");
  assert.ok(stop.reason instanceof Interrupted && stop.reason.signal === "SIGINT");
  assert.deepEqual(exits, []);
  now = 1001;
  fake.emit("SIGINT");
  assert.deepEqual(exits, [130]);
});
