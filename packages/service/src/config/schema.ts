import { z } from "zod";

/** The part of JSON Schema that zod produces for a section. */
export interface SchemaNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  /** Marked by `path()`. */
  readonly path?: boolean;
}

/** A section's schema as data, for its documentation, its known keys and its paths. */
export function jsonSchema(schema: z.ZodType, io: "input" | "output" = "input"): SchemaNode {
  return z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline", cycles: "ref" }) as SchemaNode;
}

/** A setting that names a file or folder: relative to the site's file, absolute once loaded. */
export const path = (): z.ZodString => z.string().min(1).meta({ path: true });

/** The keys that are allowed at this path of a section. */
export function knownKeys(schema: z.ZodType, at: readonly PropertyKey[]): string[] {
  let nodes: readonly SchemaNode[] = [jsonSchema(schema)];
  for (const key of at) nodes = nodes.flatMap((node) => childrenOf(node, key));
  return [...new Set(nodes.flatMap(alternatives).flatMap((node) => Object.keys(node.properties ?? {})))];
}

/** What the schema says about the value under `key`. */
export function childrenOf(node: SchemaNode, key: PropertyKey): SchemaNode[] {
  return alternatives(node).flatMap((one) => {
    if (typeof key === "number") return one.items === undefined ? [] : [one.items];
    const named = one.properties?.[String(key)];
    if (named !== undefined) return [named];
    return typeof one.additionalProperties === "object" ? [one.additionalProperties] : [];
  });
}

const alternatives = (node: SchemaNode): SchemaNode[] => [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])];
