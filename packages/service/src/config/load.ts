import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { readDocument, type SiteDocument } from "./document.ts";
import { environmentOverrides, setAt, type Override } from "./environment.ts";
import { byLine, explain, pathText, type Fault } from "./faults.ts";
import { nearest } from "./nearest.ts";
import { originOf, type Origin } from "./origin.ts";
import { resolvePaths } from "./paths.ts";
import { knownKeys } from "./schema.ts";
import { siteSchema, type SiteConfig } from "./site.ts";

/** A valid configuration, or everything that is wrong with it. */
export type Loaded =
  | {
      readonly is: "loaded";
      readonly site: SiteConfig;
      readonly sections: Readonly<Record<string, unknown>>;
      readonly faults: readonly [];
    }
  | { readonly is: "faulty"; readonly faults: readonly Fault[] };

/**
 * Reads a site's configuration: the file (defaults without one), overridden by the environment, validated against the
 * shared sections and `sections`. Reports all faults together. The returned paths are absolute; relative ones are
 * resolved against the file's folder.
 */
export function loadSite(
  file: string | undefined,
  sections: Readonly<Record<string, z.ZodType>>,
  env: NodeJS.ProcessEnv,
): Loaded {
  const document = readDocument(file);
  if (document.faults.length > 0) return { is: "faulty", faults: document.faults };
  const schemas: Record<string, z.ZodType> = { ...siteSchema.shape, ...sections };
  const overrides = environmentOverrides(env);
  for (const { path, value } of overrides) setAt(document.values, path, value);
  const origin = originOf(document, overrides);

  const faults: Fault[] = unknownSections(document, Object.keys(schemas), origin);
  const parsed: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const result = parseSection(schema, name, document.values, overrides);
    if (result.success) parsed[name] = result.data;
    else faults.push(...result.error.issues.flatMap((issue) => faultsOf(issue, name, schema, document.values, origin)));
  }
  if (faults.length > 0) return { is: "faulty", faults: faults.toSorted(byLine) };

  const base = file === undefined ? process.cwd() : dirname(resolve(file));
  const pathFaults = resolvePaths(parsed, schemas, base, (path) => origin.where(path));
  if (pathFaults.length > 0) return { is: "faulty", faults: pathFaults };
  const own = Object.fromEntries(Object.keys(siteSchema.shape).map((name) => [name, parsed[name]])) as z.output<
    typeof siteSchema
  >;
  const site: SiteConfig = { ...own, trust: { dir: own.trust.dir ?? resolve(own.site.stateDir, "trust") } };
  return {
    is: "loaded",
    site,
    sections: Object.fromEntries(Object.keys(sections).map((name) => [name, parsed[name]])),
    faults: [],
  };
}

/** Validates one section; an absent or empty one is all defaults. */
function parseSection(
  schema: z.ZodType,
  name: string,
  values: Record<string, unknown>,
  overrides: readonly Override[],
) {
  const value = Object.hasOwn(values, name) ? (values[name] ?? undefined) : undefined;
  const result = schema.safeParse(value);
  if (result.success) return result;
  if (value === undefined) {
    const empty = schema.safeParse({});
    return empty.success || result.error.issues[0]?.path.length === 0 ? empty : result;
  }
  return asText(result.error.issues, name, values, overrides) ? schema.safeParse(values[name]) : result;
}

/** Takes a variable's raw text for a text setting whose value was read as a number (`0123`). True when a value was replaced. */
function asText(
  issues: readonly z.core.$ZodIssue[],
  name: string,
  values: Record<string, unknown>,
  overrides: readonly Override[],
): boolean {
  let replaced = false;
  for (const issue of issues) {
    if (issue.code !== "invalid_type" || issue.expected !== "string") continue;
    const override = overrides.find(({ path }) => pathText(path) === pathText([name, ...issue.path]));
    if (override === undefined) continue;
    setAt(values, override.path, override.text);
    replaced = true;
  }
  return replaced;
}

function unknownSections(document: SiteDocument, known: readonly string[], origin: Origin): Fault[] {
  return Object.keys(document.values)
    .filter((name) => !known.includes(name))
    .map((name) => unknownKey([], name, known, origin));
}

function faultsOf(
  issue: z.core.$ZodIssue,
  name: string,
  schema: z.ZodType,
  values: Record<string, unknown>,
  origin: Origin,
): Fault[] {
  const path = [name, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(path, key, knownKeys(schema, issue.path), origin));
  }
  const value = path.reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | undefined | null)?.[key],
    values,
  );
  return [{ where: origin.where(path), path: pathText(path), ...explain(issue, value) }];
}

function unknownKey(path: readonly PropertyKey[], key: string, known: readonly string[], origin: Origin): Fault {
  const suggestion = nearest(key, known);
  const list = known.length > 0 && known.length <= 16 ? `known keys: ${known.join(", ")}` : "remove it";
  return {
    where: origin.whereKey(path, key),
    path: pathText([...path, key]),
    wrong: path.length === 0 ? "unknown section" : "unknown key",
    remedy: suggestion === undefined ? list : `did you mean ${suggestion}?`,
  };
}
