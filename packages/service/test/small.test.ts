import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { backoffMs, loadCredentials, nearest, LruMap } from "../src/index.ts";

test("back-off doubles up to its bound, half of it random", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 20].map((attempt) => backoffMs(attempt, 0, { baseMs: 100, maxMs: 1000 })),
    [50, 100, 200, 400, 500],
  );
  assert.equal(backoffMs(3, 0.5, { baseMs: 100, maxMs: 1000 }), 600);
});

test("law: back-off stays between zero and its bound", () => {
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, jitter) => {
      const ms = backoffMs(attempt, jitter);
      return ms >= 50 && ms <= 30_000;
    }),
  );
});

test("the nearest word is found within the distance bound only", () => {
  assert.equal(nearest("serverIp", ["listen", "serverId"]), "serverId");
  assert.equal(nearest("offerhold", ["offerHold"]), "offerHold");
  assert.equal(nearest("colour", ["listen", "serverId"]), undefined);
});

test("the least recently used entry is evicted first", () => {
  const recent = new LruMap<string, number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  recent.get("a");
  recent.set("c", 3);
  assert.deepEqual([recent.get("a"), recent.get("b"), recent.get("c")], [1, undefined, 3]);
});

test("credentials are read again after renewal", () => {
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
