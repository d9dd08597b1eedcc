import type { ERRORS } from "@firstlight/wire/tftp";
import type { NameRefusal } from "./name.ts";

/** Why a file cannot be read. */
export type FileRefusal =
  | "no-such-file"
  | "file-leaves-root"
  | "not-a-regular-file"
  | "file-cannot-be-read"
  | "file-too-large-for-netascii"
  | "open-files-limit";

/** Why a request is not served. */
export type Refusal =
  | NameRefusal
  | FileRefusal
  | "read-only"
  | "mode-unknown"
  | "requests-per-client-limit"
  | "transfers-per-client-limit"
  | "transfers-limit"
  | "no-port"
  | "draining";

/**
 * The answer to each refusal. Most firmware gives up after an ERROR. A refusal that may pass within seconds is therefore not
 * answered: the client asks again, perhaps another replica.
 */
export const REFUSALS: Readonly<Record<Refusal, keyof typeof ERRORS.of | "silence">> = {
  "name-too-long": "accessViolation",
  "name-forbidden-characters": "accessViolation",
  "name-leaves-root": "accessViolation",
  "name-hidden": "accessViolation",
  "no-such-file": "notFound",
  "file-leaves-root": "accessViolation",
  "not-a-regular-file": "accessViolation",
  "file-cannot-be-read": "undefined",
  "file-too-large-for-netascii": "undefined",
  "open-files-limit": "silence",
  "read-only": "accessViolation",
  "mode-unknown": "illegalOperation", // RFC 1350 §1: mode mail is obsolete
  "requests-per-client-limit": "silence",
  "transfers-per-client-limit": "silence",
  "transfers-limit": "silence",
  "no-port": "silence",
  draining: "silence",
};
