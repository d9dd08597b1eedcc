import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { connectOperator, type Operator } from "@firstlight/api-client";
import { endpoint, faultLine, loadSite } from "@firstlight/service";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { contextOf, STATE } from "./folders.ts";
import { SECTIONS } from "./sections.ts";

/** Where the API is and as whom to ask it. Files are relative to the context's own folder. */
const contextSchema = z.strictObject({
  address: endpoint,
  site: z.string(),
  ca: z.string(),
  cert: z.string(),
  key: z.string(),
});

export type OperatorFile = z.output<typeof contextSchema>;

/** The CLI cannot ask the API: an expected no, said in one line. */
export class NoContext extends Error {
  readonly code = "FL_NO_CONTEXT";
}

export function writeContext(file: string, context: OperatorFile): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(
    `${file}.new`,
    `# How the CLI reaches this site's API; written by \`firstlight up\`.\n${stringify(context)}`,
    { mode: 0o600 },
  );
  renameSync(`${file}.new`, file);
}

/** The context that `--context`, `--config`, FIRSTLIGHT_CONTEXT or the embedded site's folder names, in that order. */
export function contextFile(
  flags: { readonly context?: string; readonly config?: string },
  env: NodeJS.ProcessEnv,
): string {
  if (flags.context !== undefined) return resolve(flags.context);
  if (flags.config !== undefined) return contextOf(stateOf(flags.config, env));
  return resolve(env["FIRSTLIGHT_CONTEXT"] ?? contextOf(STATE));
}

function stateOf(file: string, env: NodeJS.ProcessEnv): string {
  const loaded = loadSite(file, SECTIONS, env);
  if (loaded.is === "faulty") throw new NoContext(loaded.faults.map(faultLine).join("\n"));
  return loaded.site.site.stateDir;
}

/** A client of the API as this operator. */
export function openOperator(file: string): Operator {
  if (!existsSync(file)) {
    throw new NoContext(
      `no operator context at ${file}; start the site with \`firstlight up\`, or name one with --context or FIRSTLIGHT_CONTEXT`,
    );
  }
  const read = contextSchema.safeParse(parse(readFileSync(file, "utf8")));
  if (!read.success)
    throw new NoContext(`${file}: ${read.error.issues[0]?.path.join(".")}: ${read.error.issues[0]?.message}`);
  const { address, site, ...files } = read.data;
  const bytes = (name: string): Buffer => readFileSync(resolve(dirname(file), name));
  return connectOperator({ address, site, ca: bytes(files.ca), cert: bytes(files.cert), key: bytes(files.key) });
}
