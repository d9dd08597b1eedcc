import { Malformed } from "../malformed.ts";

/**
 * A domain name as text: presentation form (RFC 1035 §5.1) without the final dot, the root as `.`. Case is kept; a dot
 * or backslash inside a label reads `\.` and `\\`, any byte that is no visible ASCII reads `\DDD`.
 */
export type NameText = string;

export const MAX_NAME_BYTES = 255; // RFC 1035 §2.3.4, the final zero included
export const MAX_LABEL_BYTES = 63; // RFC 1035 §2.3.4

/** One pointer for each label a name can have: more only burns time. */
const MAX_HOPS = 127;

/** A name and the offset behind it where it was read. */
export interface NameAt {
  readonly name: NameText;
  readonly next: number;
}

/**
 * Reads a name, following compression pointers (RFC 1035 §4.1.4). Each pointer must lead before the labels read so far,
 * which ends every walk: there are no loops to detect.
 */
export function readName(bytes: Uint8Array, at: number, end = bytes.length): NameAt | Malformed {
  let text = "";
  let length = 0;
  let from = at; // where the current run of labels began: a pointer must lead before it
  let cursor = at;
  let hops = 0;
  let next = -1; // behind the first pointer
  for (;;) {
    if (cursor >= end) return new Malformed("name runs past the end", cursor);
    const count = bytes[cursor]!;
    if (count >= 0xc0) {
      if (cursor + 1 >= end) return new Malformed("name runs past the end", cursor);
      const target = ((count & 0x3f) << 8) | bytes[cursor + 1]!;
      if (target >= from) return new Malformed("compression pointer leads forward", cursor);
      if (++hops > MAX_HOPS) return new Malformed("too many compression pointers", cursor);
      if (next < 0) next = cursor + 2;
      [from, cursor] = [target, target];
      continue;
    }
    if (count > MAX_LABEL_BYTES) return new Malformed("unknown label type", cursor);
    length += count + 1;
    if (length > MAX_NAME_BYTES) return new Malformed("name longer than 255 octets", cursor);
    if (count === 0) return { name: text || ".", next: next < 0 ? cursor + 1 : next };
    if (cursor + count >= end) return new Malformed("name runs past the end", cursor);
    text += (text && ".") + labelText(bytes, cursor + 1, count);
    cursor += count + 1;
  }
}

/** One label of `count` bytes as text, escaped. */
function labelText(bytes: Uint8Array, at: number, count: number): string {
  let text = "";
  for (let i = at; i < at + count; i++) {
    const byte = bytes[i]!;
    if (byte <= 0x20 || byte >= 0x7f) text += `\\${String(byte).padStart(3, "0")}`;
    else text += byte === 0x2e || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte);
  }
  return text;
}

/** The name's wire form, uncompressed, case kept. A final dot is accepted. */
export function nameBytes(text: NameText): Uint8Array | Malformed {
  if (text === "." || text === "") return Uint8Array.of(0);
  const wire = new Uint8Array(text.length + 2); // an escape is longer than what it stands for
  let label = 0; // where the length of the current label goes
  let at = 1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) return new Malformed("name holds a character that is no octet", i);
    if (code === 0x2e) {
      const fault = labelFault(at - label - 1);
      if (fault) return fault;
      wire[label] = at - label - 1;
      label = at++;
    } else if (code === 0x5c) {
      const escape = unescape(text, i);
      if (escape.byte > 0xff) return new Malformed("bad escape in name", i);
      wire[at++] = escape.byte;
      i += escape.skip;
    } else wire[at++] = code;
  }
  const last = at - label - 1;
  if (last > 0) {
    const fault = labelFault(last);
    if (fault) return fault;
    wire[label] = last;
    label = at; // the root: zero already
  }
  return label + 1 > MAX_NAME_BYTES ? new Malformed("name longer than 255 octets") : wire.slice(0, label + 1);
}

function labelFault(length: number): Malformed | undefined {
  if (length === 0) return new Malformed("empty label in name");
  return length > MAX_LABEL_BYTES ? new Malformed("label longer than 63 octets") : undefined;
}

/** `\DDD` or `\X` (RFC 1035 §5.1) at `at`; a byte of 256 says it is neither. */
function unescape(text: string, at: number): { readonly byte: number; readonly skip: number } {
  const digits = /^\d{3}/.exec(text.slice(at + 1, at + 4));
  if (digits) return { byte: Number(digits[0]), skip: 3 };
  const code = text.charCodeAt(at + 1);
  return Number.isNaN(code) || (code >= 0x30 && code <= 0x39) ? { byte: 256, skip: 0 } : { byte: code, skip: 1 };
}

/** Names are equal without regard to ASCII case, and to nothing but ASCII case (RFC 4343 §3). */
export function foldName(text: NameText): NameText {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
