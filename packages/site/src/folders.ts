import { join, resolve } from "node:path";

/** The checkout's root. */
export const ROOT = resolve(import.meta.dirname, "../../..");

/** The one binary, as its children are started. */
export const MAIN = join(import.meta.dirname, "main.ts");

/** The embedded site's state, unless `--state` says otherwise. */
export const STATE = join(ROOT, ".firstlight");
