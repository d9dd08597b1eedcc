import type { ReasonRow } from "@firstlight/service";

/**
 * Every reason that tftpd gives, by its code: the `because` of its events, log lines and metrics. Codes are stable; the texts
 * are for people and may change. `answers` is what the peer gets.
 */
export const REASONS = {
  // A request that is not served
  "name-too-long": {
    sentence: "name is too long",
    remedy: "Shorten the file's path.",
    answers: "ERROR accessViolation",
  },
  "name-forbidden-characters": {
    sentence: "name has forbidden characters",
    remedy: "Name the file with printable ASCII and forward slashes.",
    answers: "ERROR accessViolation",
  },
  "name-leaves-root": {
    sentence: "name leaves the root",
    remedy: "The name has a .. in it: correct the boot file's name.",
    answers: "ERROR accessViolation",
  },
  "name-hidden": {
    sentence: "name is hidden",
    remedy: "A part of the name begins with a dot or is empty: correct the boot file's name.",
    answers: "ERROR accessViolation",
  },
  "no-such-file": { sentence: "no such file", remedy: "Put the file into tftpd.root.", answers: "ERROR notFound" },
  "file-leaves-root": {
    sentence: "file leaves the root",
    remedy: "A link leads out of tftpd.root: put the file itself there.",
    answers: "ERROR accessViolation",
  },
  "not-a-regular-file": {
    sentence: "not a regular file",
    remedy: "Name a file, not a folder.",
    answers: "ERROR accessViolation",
  },
  "file-cannot-be-read": {
    sentence: "file cannot be read",
    remedy: "See the file's permissions.",
    answers: "ERROR undefined",
  },
  "file-too-large-for-netascii": {
    sentence: "file is too large for netascii",
    remedy: "Fetch it in mode octet.",
    answers: "ERROR undefined",
  },
  "open-files-limit": { sentence: "too many open files", remedy: "See the limit of open files.", answers: "silence" },
  "read-only": {
    sentence: "server is read-only",
    remedy: "None needed: nothing is written here.",
    answers: "ERROR accessViolation",
  },
  "mode-unknown": {
    sentence: "mode is neither octet nor netascii",
    remedy: "Fetch it in mode octet.",
    answers: "ERROR illegalOperation",
  },
  "requests-per-client-limit": {
    sentence: "too many requests of this client",
    remedy: "Firmware in a loop.",
    answers: "silence",
  },
  "transfers-per-client-limit": {
    sentence: "too many transfers of this client",
    remedy: "Firmware in a loop.",
    answers: "silence",
  },
  "transfers-limit": {
    sentence: "too many transfers",
    remedy: "Many machines boot at once: they ask again. Add a replica, or raise the limit.",
    answers: "silence",
  },
  "no-port": {
    sentence: "no port for the transfer",
    remedy: "See the limit of open files and the range of ports.",
    answers: "silence",
  },
  "clients-not-named": {
    sentence: "clients are not named: {fault}",
    remedy: "Files are served. Do what the second part of the sentence calls for, so that events name their machines.",
    answers: "200",
  },
  draining: { sentence: "draining", remedy: "None needed: the daemon stops.", answers: "silence" },
  // How a transfer ends
  sent: { sentence: "sent", remedy: "None needed.", answers: "none" },
  probe: { sentence: "probe", remedy: "None needed: the client asked for the size alone.", answers: "none" },
  "client-gave-up": {
    sentence: "client gave up",
    remedy: "The client's own ERROR ended it: see its console.",
    answers: "none",
  },
  "no-answer": {
    sentence: "no answer",
    remedy: "The client is gone, or a firewall drops its acknowledgements.",
    answers: "none",
  },
  "file-unreadable": {
    sentence: "file unreadable",
    remedy: "See the disk, and that the file is not replaced in place.",
    answers: "ERROR undefined",
  },
  "client-asked-anew": {
    sentence: "client asked anew",
    remedy: "None needed: the machine was reset, or repeated its request.",
    answers: "none",
  },
  "crowded-out": {
    sentence: "crowded out",
    remedy: "Many requests without an acknowledgement: look for a flood.",
    answers: "none",
  },
  "server-stops": { sentence: "server stops", remedy: "None needed: the daemon stops.", answers: "ERROR undefined" },
  // A datagram of a transfer that has no effect
  "duplicate-acknowledgement": { sentence: "duplicate acknowledgement", remedy: "None needed.", answers: "silence" },
  "acknowledges-unsent": {
    sentence: "acknowledges what was not sent",
    remedy: "The client is wrong.",
    answers: "silence",
  },
  "already-under-way": {
    sentence: "already under way",
    remedy: "None needed: a request that came twice.",
    answers: "silence",
  },
} as const satisfies Readonly<Record<string, ReasonRow>>;

export type Reason = keyof typeof REASONS;
