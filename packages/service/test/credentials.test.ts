import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { loadCredentials } from "../src/index.ts";

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
    assert.equal(String(credentials.cert), "second one", "the last readable certificate is kept");
  } finally {
    rmSync(dir, { recursive: true });
  }
});
