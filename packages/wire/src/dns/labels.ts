import { MAX_LABEL_BYTES, MAX_NAME_BYTES } from "./name.ts";

/** Most labels a name of 255 octets can have, the root not counted. */
const MAX_LABELS = 127;

/**
 * Where the labels of one uncompressed name stand, and a folded hash of each of its suffixes: enough to look the name
 * and every enclosing one up without copying a byte. Made once, filled again for each name.
 */
export interface Labels {
  /** Offset of the name. */
  at: number;
  /** Bytes of the name, the final zero included. */
  bytes: number;
  /** How many labels, the root not counted. */
  count: number;
  /** Offset of each label's length octet, leftmost first; one more entry for the root. */
  readonly starts: Uint16Array;
  /** Hash of the suffix that begins at each label; the last entry is the root's. */
  readonly hashes: Int32Array;
}

export function labels(): Labels {
  return { at: 0, bytes: 0, count: 0, starts: new Uint16Array(MAX_LABELS + 1), hashes: new Int32Array(MAX_LABELS + 1) };
}

/**
 * Reads an uncompressed name at `at`; the offset behind it, or −1 when it is none (a pointer, too long, cut short).
 * The hash is FNV-1a over the octets from the root leftwards, folded to lower case, so that each suffix has its own
 * for free; `seed` is this process's, because names come from tenants.
 */
export function readLabels(bytes: Uint8Array, at: number, end: number, seed: number, into: Labels): number {
  let cursor = at;
  let count = 0;
  for (;;) {
    if (cursor >= end || cursor - at >= MAX_NAME_BYTES) return -1;
    const length = bytes[cursor]!;
    into.starts[count] = cursor;
    if (length === 0) break;
    if (length > MAX_LABEL_BYTES || count === MAX_LABELS) return -1;
    count++;
    cursor += length + 1;
  }
  into.at = at;
  into.bytes = cursor + 1 - at;
  into.count = count;
  hashSuffixes(bytes, seed, into);
  return cursor + 1;
}

function hashSuffixes(bytes: Uint8Array, seed: number, into: Labels): void {
  let hash = seed | 0;
  into.hashes[into.count] = hash;
  let cursor = into.at + into.bytes - 2; // behind it stands the root
  for (let label = into.count - 1; label >= 0; label--) {
    const start = into.starts[label]!;
    for (; cursor >= start; cursor--) hash = Math.imul(hash ^ FOLD[bytes[cursor]!]!, 0x01000193);
    into.hashes[label] = hash ^ (hash >>> 15);
  }
}

/** Each octet in lower case; ASCII only (RFC 4343 §3). Length octets are below `A` and stay as they are. */
export const FOLD = Uint8Array.from({ length: 256 }, (_, octet) =>
  octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet,
);
