/**
 * Every example is a valid configuration: the files of `examples/`, and each block of YAML in the README and the manual.
 */
import assert from "node:assert/strict";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test from "node:test";
import { faultLine, loadSite } from "@firstlight/service";
import { SECTIONS } from "@firstlight/site/sections";

const ROOT = resolve(import.meta.dirname, "..");
const BLOCK = /^```yaml\n(.*?)^```$/gms;

const folder = mkdtempSync(join(tmpdir(), "firstlight-examples-"));
test.after(() => rmSync(folder, { recursive: true }));

/** The fault of an example that names a secret file, which does not exist here. */
const MISSING_SECRET = /: no secret in /;

function faultsOf(file: string): string[] {
  const loaded = loadSite(file, SECTIONS, {});
  return loaded.is === "loaded"
    ? []
    : loaded.faults.map((fault) => faultLine(fault)).filter((line) => !MISSING_SECRET.test(line));
}

for (const file of globSync("examples/*.yaml", { cwd: ROOT })) {
  test(`${file} is valid`, () => assert.deepEqual(faultsOf(join(ROOT, file)), []));
}

for (const page of ["README.md", ...globSync("docs/manual/*.md", { cwd: ROOT })]) {
  const text = readFileSync(join(ROOT, page), "utf8");
  for (const [i, [, yaml]] of [...text.matchAll(BLOCK)].entries()) {
    test(`block ${i + 1} of YAML in ${page} is valid`, () => {
      const file = join(folder, `${page.replaceAll("/", "-")}-${i}.yaml`);
      writeFileSync(file, yaml!);
      assert.deepEqual(faultsOf(file), []);
    });
  }
}
