import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonSchema, type SchemaNode, siteSchema } from "@firstlight/service";
import { documentation } from "../src/documentation.ts";
import { SECTIONS } from "../src/sections.ts";

/** The paths that nothing is said about; a group of settings speaks by its settings. */
function silent(path: string, node: SchemaNode): string[] {
  const fields = Object.entries(node.properties ?? {}).flatMap(([key, field]) => silent(`${path}.${key}`, field));
  const items = Object.entries(node.items?.properties ?? {}).flatMap(([key, field]) =>
    silent(`${path}[].${key}`, field),
  );
  return [...(node.description === undefined && node.properties === undefined ? [path] : []), ...fields, ...items];
}

const SCHEMAS = { ...siteSchema.shape, ...SECTIONS };

test("every setting says what it means", () => {
  assert.deepEqual(
    Object.entries(SCHEMAS).flatMap(([name, schema]) => silent(name, jsonSchema(schema))),
    [],
  );
});

test("the commented file has each setting below its meaning", () => {
  const lines = documentation(SCHEMAS).split("\n");
  const at = lines.indexOf("  drainSeconds: 10");
  assert.match(lines[at - 1] ?? "", /^ {2}# How long a daemon that must stop/);
});
