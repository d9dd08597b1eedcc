import type { ERRORS } from "@firstlight/wire/tftp";
import type { NameRefusal } from "./name.ts";

/** Why a file cannot be had. */
export type FileRefusal =
  | "no such file"
  | "file leaves the root"
  | "not a regular file"
  | "file cannot be read"
  | "file is too large for netascii"
  | "too many open files";

/** Why a request is not served. */
export type Refusal =
  | NameRefusal
  | FileRefusal
  | "server is read-only"
  | "mode is neither octet nor netascii"
  | "too many requests of this client"
  | "too many transfers of this client"
  | "too many transfers"
  | "no port for the transfer"
  | "draining";

/**
 * What each refusal looks like on the wire. An ERROR ends the attempt of most firmware for good, so whatever will be
 * different in a second is silence: the client asks again, perhaps another replica.
 */
export const REFUSALS: Readonly<Record<Refusal, keyof typeof ERRORS.of | "silence">> = {
  "name is too long": "accessViolation",
  "name has forbidden characters": "accessViolation",
  "name leaves the root": "accessViolation",
  "name is hidden": "accessViolation",
  "no such file": "notFound",
  "file leaves the root": "accessViolation",
  "not a regular file": "accessViolation",
  "file cannot be read": "undefined",
  "file is too large for netascii": "undefined",
  "too many open files": "silence",
  "server is read-only": "accessViolation",
  "mode is neither octet nor netascii": "illegalOperation", // RFC 1350 §1: mode mail is obsolete
  "too many requests of this client": "silence",
  "too many transfers of this client": "silence",
  "too many transfers": "silence",
  "no port for the transfer": "silence",
  draining: "silence",
};
