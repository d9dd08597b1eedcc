import type { SiteDocument } from "./document.ts";
import type { Override } from "./environment.ts";

/** Where a setting comes from: a line of the file or an environment variable. */
export interface Origin {
  where(path: readonly PropertyKey[]): string;
  whereKey(path: readonly PropertyKey[], key: string): string;
}

/** A variable that sets this, or the section outer it, wins over the file; so does one below a section that the file has not. */
export function originOf(document: SiteDocument, overrides: readonly Override[]): Origin {
  const variable = (path: readonly PropertyKey[]): string | undefined => {
    const outer = overrides.findLast((override) => startsWith(path, override.path));
    if (outer !== undefined || document.has(path)) return outer?.variable;
    return overrides.findLast((override) => startsWith(override.path, path))?.variable;
  };
  return {
    where: (path) => variable(path) ?? document.where(path),
    whereKey: (path, key) => variable([...path, key]) ?? document.whereKey(path, key),
  };
}

const startsWith = (path: readonly PropertyKey[], prefix: readonly PropertyKey[]): boolean =>
  prefix.length <= path.length && prefix.every((key, depth) => key === path[depth]);
