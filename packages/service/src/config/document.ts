import { readFileSync, statSync } from "node:fs";
import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import type { Fault } from "./faults.ts";

/** A file that declares ten thousand machines has about four megabytes. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** The site's file as a tree of values, with the line of each value. */
export interface SiteDocument {
  readonly values: Record<string, unknown>;
  readonly faults: readonly Fault[];
  /** `site.yaml:12` of the value at this path, or of its nearest ancestor in the file. */
  where(path: readonly PropertyKey[]): string;
  /** Whether the file has a value at this path. */
  has(path: readonly PropertyKey[]): boolean;
  /** As `where`, for a key that is not allowed there. */
  whereKey(path: readonly PropertyKey[], key: string): string;
}

/** Reads the site's file. A file that cannot be read or parsed gives an empty document with its faults; no file gives an empty one. */
export function readDocument(file: string | undefined): SiteDocument {
  if (file === undefined) return emptyDocument("(defaults)", []);
  let text: string;
  try {
    if (statSync(file).size > MAX_FILE_BYTES)
      return unreadable(file, `is larger than ${MAX_FILE_BYTES} bytes`, "split the site");
    text = readFileSync(file, "utf8");
  } catch (error) {
    return unreadable(
      file,
      `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      "name a readable file with --config",
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const at = (offset: number | undefined): string =>
    offset === undefined ? file : `${file}:${lines.linePos(offset).line}`;
  const faults = [...document.errors, ...document.warnings].map((error) => ({
    where: at(error.pos[0]),
    path: "",
    wrong: `not valid YAML: ${error.message}`,
    remedy: "correct the line",
  }));
  if (faults.length > 0) return emptyDocument(file, faults);
  let values: unknown;
  try {
    values = document.contents === null ? {} : document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    return unreadable(file, `not valid YAML: ${(error as Error).message}`, "correct its anchors and aliases");
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return unreadable(`${file}:1`, "is not a map of sections", "start with a section, for example `site:`");
  }
  return {
    values: values as Record<string, unknown>,
    faults,
    where: (path) => at(offsetOf(document, path)),
    has: (path) => document.hasIn(path),
    whereKey: (path, key) => at(keyOffset(document, path, key) ?? offsetOf(document, path)),
  };
}

function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const parent = path.slice(0, depth - 1);
    const key = path[depth - 1];
    const offset =
      typeof key === "string" ? keyOffset(document, parent, key) : nodeOffset(document, path.slice(0, depth));
    if (offset !== undefined) return offset;
  }
  return undefined;
}

function nodeOffset(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined;
  return node?.range?.[0];
}

function keyOffset(document: Document.Parsed, path: readonly PropertyKey[], key: string): number | undefined {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item) => String((item.key as { value?: unknown } | null)?.value) === key);
  return (pair?.key as { range?: [number, number, number] } | undefined)?.range?.[0];
}

const unreadable = (file: string, wrong: string, remedy: string): SiteDocument =>
  emptyDocument(file, [{ where: file, path: "", wrong, remedy }]);

function emptyDocument(file: string, faults: readonly Fault[]): SiteDocument {
  return { values: {}, faults, where: () => file, has: () => false, whereKey: () => file };
}
