import { jsonSchema, type SchemaNode } from "@firstlight/service";
import { stringify } from "yaml";
import type { z } from "zod";

/** Every setting as a commented YAML file: what it means, what it may be, and its default. */
export function documentation(sections: Readonly<Record<string, z.ZodType>>): string {
  const lines = Object.entries(sections).flatMap(([name, schema]) => setting(name, jsonSchema(schema), 0));
  return [
    "# Every setting of a site's file, with its default. A line that is commented out has none.",
    "",
    ...lines,
    "",
  ].join("\n");
}

function setting(name: string, node: SchemaNode, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const about = comment(node, indent);
  const fields = Object.entries(node.properties ?? {});
  if (fields.length > 0) {
    const below = fields.flatMap(([key, field]) => setting(key, field, depth + 1));
    return [...about, `${indent}${name}:`, ...below, ...(depth === 0 ? [""] : [])];
  }
  const items = Object.entries(node.items?.properties ?? {});
  const value = node.default === undefined ? undefined : inline(node.default);
  if (items.length > 0) {
    const [first, ...rest] = items.flatMap(([key, field]) => setting(key, field, 0).filter((line) => line !== ""));
    const entry = [`- ${first}`, ...rest.map((line) => `  ${line}`)].map((line) => `${indent}  # ${line}`);
    return [
      ...about,
      `${indent}${value === undefined ? "# " : ""}${name}: ${value ?? "[...]"}`,
      ...entry,
      ...(depth === 0 ? [""] : []),
    ];
  }
  return [...about, value === undefined ? `${indent}# ${name}: <${kind(node)}>` : `${indent}${name}: ${value}`];
}

function comment(node: SchemaNode, indent: string): string[] {
  const words = [node.description, node.enum === undefined ? undefined : `One of ${node.enum.map(String).join(", ")}`];
  return words.filter((text) => text !== undefined).map((text) => `${indent}# ${text}`);
}

const kind = (node: SchemaNode): string => node.type ?? node.anyOf?.map((one) => one.type).join(" or ") ?? "value";

const inline = (value: unknown): string => stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim();
