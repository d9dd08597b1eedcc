import { readFileSync, statSync } from "node:fs";
import { NoContext } from "./operator.ts";

/** A whole file that an operator named, `-` for standard input; what cannot be read is an expected no. */
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
