export const MAX_NAME_BYTES = 255; // RFC 1035 §2.3.4, the final zero included
export const MAX_LABEL_BYTES = 63; // RFC 1035 §2.3.4

/** Most labels a name of 255 octets can have, the root not counted. */
const MAX_LABELS = 127;
/** One pointer for each label a name can have: more only burns time. */
const MAX_HOPS = MAX_LABELS;

/** Where the labels of one name stand in a packet. Made once, filled again for each name. */
export interface Labels {
  /** Offset of the name; where reading stopped, when it is none. */
  at: number;
  /** Bytes of the name uncompressed, the final zero included. */
  bytes: number;
  /** How many labels, the root not counted. */
  count: number;
  /** Offset of each label's length octet, leftmost first; one more entry for the root. */
  readonly starts: Uint16Array;
  /** By `hashName`: hash of the suffix that begins at each label; the last entry is the root's. */
  readonly hashes: Int32Array;
}

export function labels(): Labels {
  return { at: 0, bytes: 0, count: 0, starts: new Uint16Array(MAX_LABELS + 1), hashes: new Int32Array(MAX_LABELS + 1) };
}

/** What becomes of a compression pointer: followed, stepped over (the name ends behind it), or refused. */
export type Pointers = "follow" | "skip" | "refuse";

/** Why there is no name where one was read: `readName` returns these codes. */
const FAULTS = {
  [-1]: "name runs past the end",
  [-2]: "compression pointer leads forward",
  [-3]: "too many compression pointers",
  [-4]: "unknown label type",
  [-5]: "name longer than 255 octets",
  [-6]: "compression pointer in a name that has none",
} as const;

export function nameFault(code: number): string {
  return FAULTS[code as keyof typeof FAULTS];
}

/**
 * The one reader of names (RFC 1035 §3.1, §4.1.4): no allocation, every offset checked against `end`. Returns the offset
 * behind the name, or a negative code of `nameFault`. Each pointer must lead before the labels read so far, which ends
 * every walk: there are no loops to detect.
 */
export function readName(bytes: Uint8Array, at: number, end: number, pointers: Pointers, into: Labels): number {
  const { starts } = into;
  let cursor = at;
  let length = 0;
  let count = 0;
  let from = at; // where the current run of labels began: a pointer must lead before it
  let hops = 0;
  let next = -1; // behind the first pointer
  for (;;) {
    into.at = cursor;
    if (cursor >= end) return -1;
    const octet = bytes[cursor]!;
    if (octet >= 0xc0) {
      if (pointers === "refuse") return -6;
      if (cursor + 1 >= end) return -1;
      if (next < 0) next = cursor + 2;
      if (pointers === "skip") break;
      const target = ((octet & 0x3f) << 8) | bytes[cursor + 1]!;
      if (target >= from) return -2;
      if (++hops > MAX_HOPS) return -3;
      from = cursor = target;
      continue;
    }
    if (octet > MAX_LABEL_BYTES) return -4;
    length += octet + 1;
    if (length > MAX_NAME_BYTES) return -5; // so no name has more labels than there is room for
    starts[count] = cursor;
    cursor += octet + 1;
    if (octet === 0) break;
    count++;
  }
  into.at = at;
  into.bytes = length;
  into.count = count;
  return next < 0 ? cursor : next;
}

/**
 * Hashes each suffix of an uncompressed name that was read into `into`: FNV-1a over the octets from the root leftwards,
 * in lower case, so that one pass gives every suffix its own. `seed` is this process's, because names come from tenants.
 */
export function hashName(bytes: Uint8Array, seed: number, into: Labels): void {
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
