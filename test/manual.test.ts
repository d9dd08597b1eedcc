/**
 * The manual agrees with the code: the metrics and settings that it names exist, its tables have the defaults of the schemas, and
 * it has every metric, daemon and kind of event.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { EVENT_KINDS } from "@firstlight/api-client";
import { jsonSchema, siteSchema } from "@firstlight/service";
import { SECTIONS } from "@firstlight/site/sections";

const ROOT = resolve(import.meta.dirname, "..");

/** Names with a metric's prefix that are channels of the database. */
const CHANNELS: ReadonlySet<string> = new Set(["firstlight_feed", "firstlight_pending"]);

const pages = new Map(globSync("docs/manual/*.md", { cwd: ROOT }).map((file) => [file, read(file)]));
const manual = [...pages.values()].join("\n");

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

/** The default of every setting, as the manual writes it, by path (`dhcpd.listen[].address`). */
const settings = new Map(
  Object.entries({ ...siteSchema.shape, ...SECTIONS }).flatMap(([name, schema]) =>
    settingsOf(name, jsonSchema(schema)),
  ),
);

function settingsOf(path: string, node: ReturnType<typeof jsonSchema>): (readonly [string, string])[] {
  const fields = Object.entries(node.properties ?? {});
  if (fields.length > 0) return fields.flatMap(([key, field]) => settingsOf(`${path}.${key}`, field));
  const items = Object.entries(node.items?.properties ?? {});
  const own = [path, node.default === undefined ? "–" : `\`${inline(node.default)}\``] as const;
  return [own, ...items.flatMap(([key, field]) => settingsOf(`${path}[].${key}`, field))];
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${inline(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

/** The names of all metrics in the sources. tftpd builds its names from `firstlight_tftp_${name}_total`. */
const metrics = new Set(
  globSync("packages/*/src/**/*.ts", { cwd: ROOT }).flatMap((file) => {
    const text = read(file);
    const literal = [...text.matchAll(/"(firstlight_[a-z_]+)"/g)].map((match) => match[1]!);
    const built = [...text.matchAll(/`(firstlight_[a-z_]+)\$\{name\}([a-z_]*)`/g)].flatMap(([, before, after]) =>
      [...text.matchAll(/= counter\("([a-z_]+)"/g)].map((match) => `${before}${match[1]}${after}`),
    );
    return [...literal, ...built].filter((name) => !CHANNELS.has(name));
  }),
);

test("the manual names exactly the metrics that exist", () => {
  const named = new Set([...manual.matchAll(/`(firstlight_[a-z_]+)`/g)].map((match) => match[1]!));
  assert.deepEqual([...named.difference(metrics)], []);
  assert.deepEqual([...metrics.difference(named)], []);
});

test("every table of the manual has existing settings with their defaults", () => {
  const faults = [...pages].flatMap(([file, text]) =>
    [...text.matchAll(/^\| `([a-zA-Z[\].]+)` \| (.*?) \|/gm)]
      .filter(([, key]) => Object.hasOwn(SECTIONS, key!.split(/[.[]/)[0]!) && key!.includes("."))
      .filter(([, key, value]) => settings.get(key!) !== value && !isOfDefaultEntry(key!))
      .map(([, key, value]) => `${file}: ${key} is ${settings.get(key!) ?? "no setting"}, not ${value}`),
  );
  assert.deepEqual(faults, []);
});

/** A field of a list's entry may be required, with a value only in the list's own default. */
function isOfDefaultEntry(key: string): boolean {
  return key.includes("[]") && settings.get(key) === "–";
}

test("every setting in the manual's text exists", () => {
  const known = new Set(
    [...settings.keys()].flatMap((path) => path.split(".").map((_, i, parts) => parts.slice(0, i + 1).join("."))),
  );
  const faults = [...pages].flatMap(([file, text]) =>
    [...text.matchAll(/`([a-zA-Z]+\.[a-zA-Z[\].]+)`/g)]
      .filter(([, key]) => [...settings.keys()].some((path) => path.startsWith(`${key!.split(".")[0]!}.`)))
      .filter(([, key]) => !known.has(key!) && !key!.endsWith(".yaml"))
      .map(([, key]) => `${file}: ${key}`),
  );
  assert.deepEqual(faults, []);
});

test("every daemon has a page with all of its settings", () => {
  const faults = Object.keys(SECTIONS).flatMap((section) => {
    if (section === "expectedMachines") return []; // declared beside the segments, on ipam's page
    const file = `docs/manual/${section.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}.md`;
    const code = [...(pages.get(file) ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1]!).join(" ");
    if (code === "") return [`${file} is missing`];
    return [...settings.keys()]
      .filter((path) => path.startsWith(`${section}.`) && !new RegExp(`\\b${path.split(".").at(-1)!}\\b`).test(code))
      .map((path) => `${file}: ${path}`);
  });
  assert.deepEqual(faults, []);
});

test("every kind of event is in the manual", () => {
  const page = pages.get("docs/manual/events.md") ?? "";
  assert.deepEqual(
    Object.keys(EVENT_KINDS).filter((kind) => !page.includes(`| \`${kind}\` |`)),
    [],
  );
});
