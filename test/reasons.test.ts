/** Reasons are codes: each is a row of its package's table, each row is used, and the manual shows them all. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { PAGE, reasonPage, TABLES } from "./reason-page.ts";

const ROOT = resolve(import.meta.dirname, "..");

/** Sources of a package, without its tables. */
function sourcesOf(name: string): (readonly [file: string, text: string])[] {
  return globSync(`packages/${name}/src/**/*.ts`, { cwd: ROOT })
    .filter((file) => !file.includes("/gen/") && !file.endsWith("reasons.ts"))
    .map((file) => [file, readFileSync(join(ROOT, file), "utf8")]);
}

/** What a text gives as `because: "…"`. */
const given = (text: string): string[] => [...text.matchAll(/\bbecause: "([^"]*)"/g)].map((match) => match[1]!);

/** The IPAM's table is of refused edits, whose codes the compiler checks; `because` there is a fault of a sheet's cell, in words. */
const TABLES_OF_BECAUSE = Object.entries(TABLES).filter(([name]) => name !== "ipam");

test("every because in the sources is a code of its package's table", () => {
  const faults = TABLES_OF_BECAUSE.flatMap(([name, table]) =>
    sourcesOf(name).flatMap(([file, text]) =>
      given(text)
        .filter((code) => !Object.hasOwn(table, code))
        .map((code) => `${file}: ${code}`),
    ),
  );
  assert.deepEqual(faults, []);
});

test("no because in the sources is put together from words", () => {
  const faults = TABLES_OF_BECAUSE.flatMap(([name]) =>
    sourcesOf(name).flatMap(([file, text]) =>
      [...text.matchAll(/\bbecause: `([^`]* [^`]*)`/g)]
        .filter(() => !TEXTS_FOR_PEOPLE.has(file))
        .map((match) => `${file}: ${match[1]!}`),
    ),
  );
  assert.deepEqual(faults, []);
});

/** `because` of a readiness or of a decision, which a person reads on a console: it is composed from the tables' sentences. */
const TEXTS_FOR_PEOPLE: ReadonlySet<string> = new Set([
  "packages/api/src/boot/handlers.ts",
  "packages/api/src/api.ts",
  "packages/tftpd/src/start.ts",
]);

test("every code of a table is used", () => {
  const shared = ["wire", "ipam"].flatMap(sourcesOf).map(([, text]) => text);
  const faults = Object.entries(TABLES).flatMap(([name, table]) => {
    const text = [...sourcesOf(name).map(([, own]) => own), ...shared].join("\n");
    const composed = [...text.matchAll(/`([a-z0-9-]*)\$\{[^`}]+\}([a-z0-9-]*)`/g)]
      .filter(([, before, after]) => `${before}${after}`.includes("-"))
      .map(([, before, after]) => new RegExp(`^${before}[a-z0-9]+${after}$`));
    return Object.keys(table)
      .filter((code) => !text.includes(`"${code}"`) && !text.includes(`REASONS.${code}.`))
      .filter((code) => !composed.some((pattern) => pattern.test(code)))
      .map((code) => `${name}: ${code}`);
  });
  assert.deepEqual(faults, []);
});

test("every reason has a kebab-case code, a sentence, a remedy and an answer", () => {
  const faults = Object.entries(TABLES).flatMap(([name, table]) =>
    Object.entries(table)
      .filter(([code, row]) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code) || Object.values(row).some((text) => text === ""))
      .map(([code]) => `${name}: ${code}`),
  );
  assert.deepEqual(faults, []);
});

test("the manual's page of reasons is the one that the tables make", () => {
  assert.equal(readFileSync(PAGE, "utf8"), reasonPage(), "run: node test/reason-page.ts");
});
