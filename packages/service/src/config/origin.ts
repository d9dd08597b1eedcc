import type { SiteDocument } from "./document.ts";
import type { Override } from "./environment.ts";

/** Where a setting comes from: a line of the file or an environment variable. */
export interface Origin {
  where(path: readonly PropertyKey[]): string;
  whereKey(path: readonly PropertyKey[], key: string): string;
}

/** A variable that sets this, or the section around it, wins over the file; so does one below a section that the file has not. */
export function originOf(document: SiteDocument, given: readonly Override[]): Origin {
  const variable = (path: readonly PropertyKey[]): string | undefined => {
    const around = given.findLast((override) => begins(path, override.path));
    if (around !== undefined || document.has(path)) return around?.variable;
    return given.findLast((override) => begins(override.path, path))?.variable;
  };
  return {
    where: (path) => variable(path) ?? document.where(path),
    whereKey: (path, key) => variable([...path, key]) ?? document.whereKey(path, key),
  };
}

const begins = (path: readonly PropertyKey[], head: readonly PropertyKey[]): boolean =>
  head.length <= path.length && head.every((key, depth) => key === path[depth]);
