import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { z } from "zod";
import { pathText, type Fault } from "./faults.ts";
import { readSecret } from "./secret.ts";
import { childrenOf, jsonSchema, type SchemaNode } from "./schema.ts";

/** Shared settings that are paths; a daemon's section marks its own with `path()`. */
const SHARED_PATHS: ReadonlySet<string> = new Set([
  "site.stateDir",
  "database.passwordFile",
  "redis.passwordFile",
  "trust.dir",
]);

/** Settings that name a file with a secret on its first line. */
const SECRET = /(password|secret|token)File$/i;

/** Makes every path of the sections absolute, in place. Returns a fault for each secret that cannot be read or that all users can read. */
export function resolvePaths(
  sections: Record<string, unknown>,
  schemas: Readonly<Record<string, z.ZodType>>,
  base: string,
  where: (path: readonly PropertyKey[]) => string,
): Fault[] {
  const faults: Fault[] = [];
  const visit = (value: unknown, nodes: readonly SchemaNode[], at: readonly PropertyKey[]): unknown => {
    if (typeof value === "string") {
      const text = pathText(at);
      if (!SHARED_PATHS.has(text) && !SECRET.test(text) && !nodes.some((node) => node.path === true)) return value;
      const absolute = resolve(base, value);
      const wrong = SECRET.test(text) ? secretFault(absolute) : undefined;
      if (wrong !== undefined) faults.push({ where: where(at), path: text, ...wrong });
      return absolute;
    }
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    const tree = value as Record<PropertyKey, unknown>;
    for (const name of Object.keys(tree)) {
      const key = Array.isArray(value) ? Number(name) : name;
      const child = visit(
        tree[key],
        nodes.flatMap((node) => childrenOf(node, key)),
        [...at, key],
      );
      if (child !== tree[key]) tree[key] = child;
    }
    return value;
  };
  for (const [name, schema] of Object.entries(schemas)) {
    if (hasPaths(name, schema)) sections[name] = visit(sections[name], [jsonSchema(schema)], [name]);
  }
  return faults;
}

/** Whether a section has any path setting; a section of ten thousand machines without one is not walked. */
function hasPaths(name: string, schema: z.ZodType): boolean {
  if ([...SHARED_PATHS].some((path) => path.startsWith(`${name}.`))) return true;
  const text = JSON.stringify(jsonSchema(schema));
  return text.includes('"path":true') || /(password|secret|token)File"/i.test(text);
}

function secretFault(file: string): { wrong: string; remedy: string } | undefined {
  try {
    readSecret(file);
  } catch (error) {
    return {
      wrong: `no secret in ${file} (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`,
      remedy: "write it on the file's first line",
    };
  }
  if ((statSync(file).mode & 0o007) !== 0)
    return { wrong: `${file} is readable by all users`, remedy: "chmod 0640 or less" };
  return undefined;
}
