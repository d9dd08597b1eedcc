import { readFileSync, statSync } from "node:fs";

const MAX_SECRET_BYTES = 64 * 1024;

/** The secret in a file: its first line. Throws when the file is missing, empty, or larger than 64 KiB. */
export function readSecret(file: string): string {
  if (statSync(file).size > MAX_SECRET_BYTES) throw new Error(`${file} is larger than ${MAX_SECRET_BYTES} bytes`);
  const first = readFileSync(file, "utf8").split(/\r?\n/, 1)[0] ?? "";
  if (first === "") throw new Error(`${file} has an empty first line`);
  return first;
}

/**
 * Inserts the password of a file, with any characters, into a URL. PostgreSQL's driver prefers the URL, even one without a
 * password, to a separate password option.
 */
export function withPassword(url: string, passwordFile: string | undefined): string {
  if (passwordFile === undefined) return url;
  const parsed = new URL(url);
  parsed.password = encodeURIComponent(readSecret(passwordFile)); // the setter does not escape a `%`
  return parsed.href;
}
