import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { connectOperator, type Operator } from "@firstlight/api-client";
import { endpoint } from "@firstlight/service";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { STATE } from "./folders.ts";

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
  writeFileSync(`${file}.new`, `# How the CLI reaches this site's API; written by \`firstlight up\`.\n${stringify(context)}`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The context that `--context`, FIRSTLIGHT_CONTEXT or the embedded site's folder names, in that order. */
export function contextFile(flag: string | undefined, env: NodeJS.ProcessEnv): string {
  return resolve(flag ?? env["FIRSTLIGHT_CONTEXT"] ?? join(STATE, "operator", "context.yaml"));
}

/** A client of the API as this operator. */
export function openOperator(file: string): Operator {
  if (!existsSync(file)) {
    throw new NoContext(`no operator context at ${file}; start the site with \`firstlight up\`, or name one with --context or FIRSTLIGHT_CONTEXT`);
  }
  const read = contextSchema.safeParse(parse(readFileSync(file, "utf8")));
  if (!read.success) throw new NoContext(`${file}: ${read.error.issues[0]?.path.join(".")}: ${read.error.issues[0]?.message}`);
  const { address, site, ...files } = read.data;
  const bytes = (name: string): Buffer => readFileSync(resolve(dirname(file), name));
  return connectOperator({ address, site, ca: bytes(files.ca), cert: bytes(files.cert), key: bytes(files.key) });
}
