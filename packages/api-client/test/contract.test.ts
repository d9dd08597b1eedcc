import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import test from "node:test";

const ROOT = join(import.meta.dirname, "..");
const BIN = join(ROOT, "node_modules/.bin");
const env = { ...process.env, PATH: `${BIN}${delimiter}${process.env["PATH"]}` };

function buf(...args: string[]): void {
  execFileSync(join(BIN, "buf"), args, { cwd: ROOT, env, stdio: "pipe" });
}

/** Every generated file with its text. */
function generated(dir: string): Record<string, string> {
  const names = globSync("**/*.{js,ts}", { cwd: dir }).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(dir, name), "utf8")]));
}

test("the generated code matches the proto files", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "firstlight-gen-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  buf("generate", "proto", "--output", dir);
  const fresh = generated(join(dir, "src/gen"));
  assert.ok(Object.keys(fresh).length >= 12);
  assert.deepEqual(generated(join(ROOT, "src/gen")), fresh, "run: npm run generate");
});

test("the contract passes buf lint", () => {
  assert.doesNotThrow(() => buf("lint", "proto"));
});
