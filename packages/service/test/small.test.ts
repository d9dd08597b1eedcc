import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { backoffMs, loadCredentials, nearest, Recent } from "../src/index.ts";

test("back-off doubles up to its bound, and half of it is chance", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0, { baseMs: 100, maxMs: 1000 })),
    [50, 100, 200, 400, 500],
  );
  assert.equal(backoffMs(3, 0.5, { baseMs: 100, maxMs: 1000 }), 600);
});

test("law: back-off is never negative and never past its bound", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, jitter) => {
      const ms = backoffMs(attempt, jitter);
      return ms >= 50 && ms <= 30_000;
    }),
  );
});

test("the nearest word is the one somebody meant; nothing near is nothing", () => {
  assert.equal(nearest("serverIp", ["listen", "serverId"]), "serverId");
  assert.equal(nearest("offerhold", ["offerHold"]), "offerHold");
  assert.equal(nearest("colour", ["listen", "serverId"]), undefined);
});

test("the least recently used entry goes first", () => {
  const recent = new Recent<string, number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.get("a");
  recent.set("c", 3);
  assert.deepEqual([recent.get("a"), recent.get("b"), recent.get("c")], [1, undefined, 3]);
});

test("credentials are read when asked for, again when renewed, and missing ones name the remedy", () => {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-tls-"));
  try {
    const credentials = loadCredentials(dir, "dhcpd");
    assert.throws(() => credentials.cert, { code: "FL_NO_CREDENTIALS", message: /firstlight ca issue dhcpd/ });
    writeFileSync(join(dir, "dhcpd.crt"), "first");
    assert.equal(String(credentials.cert), "first");
    writeFileSync(join(dir, "new"), "second one");
    renameSync(join(dir, "new"), join(dir, "dhcpd.crt"));
    assert.equal(String(credentials.cert), "second one");
    rmSync(join(dir, "dhcpd.crt"));
    assert.equal(String(credentials.cert), "second one", "what was good goes on being good");
  } finally {
    rmSync(dir, { recursive: true });
  }
});
