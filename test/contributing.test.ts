/** Each recipe of docs/contributing.md lists exactly the files in which its example occurs. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import test from "node:test";

const ROOT = resolve(import.meta.dirname, "..");
const PAGE = "docs/contributing.md";

/** The files that are searched for an example. Generated code is left out. */
const SEARCHED = [
  "packages/*/{src,test,proto,migrations}/**/*.{ts,proto,sql}",
  "test/**/*.ts",
  "docs/manual/*.md",
  "examples/**/*.{yaml,csv}",
];
const EXCLUDED = /(^|\/)(node_modules|gen)\//;

interface Recipe {
  readonly title: string;
  /** The example, as a regular expression of whole words. */
  readonly example: RegExp;
  readonly files: readonly string[];
}

function recipesOf(page: string): Recipe[] {
  return page
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const title = text.slice(0, text.indexOf("\n"));
      const example = /^Example: `([^`]+)`/m.exec(text)?.[1];
      assert.ok(example, `${title}: no example`);
      const files = [...text.matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \|/gm)].map(([, link]) =>
        posix.normalize(posix.join("docs", link!)),
      );
      return { title, example: new RegExp(`(?<![\\w-])(?:${example})(?![\\w-])`), files };
    });
}

const recipes = recipesOf(readFileSync(join(ROOT, PAGE), "utf8"));
const texts = new Map(
  globSync(SEARCHED, { cwd: ROOT, exclude: (name) => name === "node_modules" })
    .map(String)
    .filter((file) => !EXCLUDED.test(file))
    .map((file) => [file, readFileSync(join(ROOT, file), "utf8")]),
);

const KINDS_OF_CHANGE = [
  "DHCP option",
  "segment setting",
  "DNS record type",
  "RPC",
  "lifecycle state",
  "CLI verb",
  "metric",
];

test("every kind of change has a recipe", () => {
  assert.deepEqual(
    KINDS_OF_CHANGE.filter((kind) => !recipes.some(({ title }) => title.includes(kind))),
    [],
  );
});

for (const { title, example, files } of recipes) {
  test(`recipe "${title}" lists the files that contain its example`, () => {
    const found = [...texts].filter(([, text]) => example.test(text)).map(([file]) => file);
    assert.deepEqual(found.toSorted(), files.toSorted());
  });
}
