import { join, relative, resolve } from "node:path";

/** The checkout's root. */
export const ROOT = resolve(import.meta.dirname, "../../..");

/** The one binary, as its children are started. */
export const MAIN = join(import.meta.dirname, "main.ts");

/** The embedded site's state, unless `--state` says otherwise. */
export const STATE = join(ROOT, ".firstlight");

/** Where the CLI finds out how to reach the API of the site with this state. */
export const contextOf = (stateDir: string): string => join(stateDir, "operator", "context.yaml");

/** A path as people here would type it. */
export function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || short === "" ? path : short;
}
