import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readSecret, withPassword } from "../src/index.ts";

function secretFile(text: string): { readonly file: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-secret-"));
  const file = join(dir, "password");
  writeFileSync(file, text);
  return { file, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

test("a secret is the first line of its file", () => {
  using secret = secretFile("s3cret\r\nwhat it is for\n");
  assert.equal(readSecret(secret.file), "s3cret");
  using empty = secretFile("\ns3cret\n");
  assert.throws(() => readSecret(empty.file), /empty first line/);
});

test("law: a password survives insertion into a URL unchanged", () => {
  for (const password of ["plain", "p@ss/w:rd?#", "50%41", "ünï çôdé", "a+b&c=d"]) {
    using secret = secretFile(`${password}\n`);
    const { password: escaped, host } = new URL(
      withPassword("postgres://firstlight@db.internal:5432/site", secret.file),
    );
    assert.equal(decodeURIComponent(escaped), password);
    assert.equal(host, "db.internal:5432");
  }
  assert.equal(withPassword("postgres://firstlight@db/site", undefined), "postgres://firstlight@db/site");
});
