import { readFileSync, statSync } from "node:fs";
import { parse } from "yaml";
import { NoContext } from "./operator.ts";

/** The text of a file that an operator named, `-` for standard input; an unreadable file is an expected error. */
export function sourceText(file: string, encoding: "utf8" | "latin1", mostBytes: number): string {
  try {
    const size = file === "-" ? 0 : statSync(file).size;
    if (size > mostBytes) throw new NoContext(`${file} is longer than ${mostBytes} bytes: import it in parts`);
    return readFileSync(file === "-" ? 0 : file, encoding);
  } catch (error) {
    if (error instanceof NoContext) throw error;
    throw new NoContext(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

const MOST_YAML_BYTES = 1_000_000;

/** The fields of an operator's YAML file; the API checks them. */
export function sourceFields(file: string): Readonly<Record<string, unknown>> {
  const text = sourceText(file, "utf8", MOST_YAML_BYTES);
  let fields: unknown;
  try {
    fields = parse(text, { maxAliasCount: 0, logLevel: "error" });
  } catch (error) {
    throw new NoContext(`${file}: not YAML: ${(error as Error).message.split("\n")[0]}`, { cause: error });
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw new NoContext(`${file}: want fields and their values`);
  return fields as Readonly<Record<string, unknown>>;
}
